"""Samples as pictures and files."""
