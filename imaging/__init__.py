"""Pictures: any photo file to pixels, where a face lies in them, folders of images, grids, drawn faces."""
