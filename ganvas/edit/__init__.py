"""Moving through what a game can make: latents by seed and the paths between them. Speaks protocols only."""
