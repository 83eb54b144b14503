"""Files, settings, seeds, tokens and interpolation: small functions that every other folder may use.

Nothing here knows games, data sets or training.
"""
