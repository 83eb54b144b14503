"""Measures: tensors in, numbers out. They know no game."""
