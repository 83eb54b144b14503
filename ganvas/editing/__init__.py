"""What can be done to a sample."""
