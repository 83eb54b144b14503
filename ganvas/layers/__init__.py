"""Building blocks of networks and augmentations of their inputs, each named as in its paper.

No whole networks (these are in games/) and no losses.
"""
