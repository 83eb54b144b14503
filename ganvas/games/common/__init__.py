"""Code that several games share: rules and duel, base classes of games, recipe families.

Nothing here belongs to one system only.
"""
