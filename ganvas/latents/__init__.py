"""Latent codes: seeds, paths, directions, truncation. Pure functions of tensors.

No models: latent spaces of a model are in inference/latent_space.py, and what a user does with them is in editing/.
"""
