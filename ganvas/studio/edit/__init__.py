"""The page /edit."""
