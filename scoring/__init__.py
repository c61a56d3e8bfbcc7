"""How good translated faces are: the features and distances, the best checkpoint, `--mode eval`."""
