"""The contract between data and games: what a sample is, what a batch holds, what the data decides."""
