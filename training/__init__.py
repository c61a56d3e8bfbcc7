"""What training needs beside the algorithm: its state, its log, its folder, its data's cache, its safeguards."""
