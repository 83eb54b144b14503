"""Play any game: the training loop and its state."""
