"""What feeds the training: the stream of samples, decoded, augmented and on the device in time."""
