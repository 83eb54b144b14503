"""Explore: look around in a trained model."""
