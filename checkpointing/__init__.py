"""Files of trained networks: written whole, read as untrusted input, in our format and in others'."""
