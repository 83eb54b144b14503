"""What several games share: the base of adversarial games, and the spelling of recipes. No game imports a game."""
