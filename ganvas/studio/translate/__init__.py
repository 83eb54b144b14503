"""The page /translate."""
