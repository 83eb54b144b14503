"""Readers of files that a user brings."""
