"""A photo in, the same face with each emotion out: for test mode, the apps and the export."""
