"""What every other part agrees on: the game, its batches, the kinds of sample, and where tensors live."""
