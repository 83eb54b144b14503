"""Evaluation of models against real data, of any kind of sample. Pure functions of tensors are in `metrics`, not here."""
