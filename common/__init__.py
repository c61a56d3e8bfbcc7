"""What three packages or more need: settings, the vocabulary, errors, devices, worker processes, files."""
