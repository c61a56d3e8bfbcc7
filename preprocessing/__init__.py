"""Photos in any state to a training set of 512×512 face crops, one step a file."""
