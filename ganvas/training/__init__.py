"""A run: the folder of one training, the trainer that fills it, and what reads it afterwards (doctor, branch, benchmark)."""
