"""Building blocks of networks: torch only, no knowledge of games."""
