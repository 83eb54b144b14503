"""Latent codes: seeds, paths, directions, truncation. Pure functions."""
