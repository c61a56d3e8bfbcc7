"""Files of trained networks: written whole, read as if a stranger made them, in our format and in others'."""
