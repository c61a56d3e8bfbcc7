"""What `demo.py` carries out: everything once, on photo-like people or on drawn ones."""
