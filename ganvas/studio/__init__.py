"""The studio: a local web page on which the game is seen being played. Thin: every page calls the library."""
