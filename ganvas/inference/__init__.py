"""A trained model in hand."""
