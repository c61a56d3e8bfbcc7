"""What three rooms or more stand on: the vocabulary, errors in one sentence, devices, processes, files."""
