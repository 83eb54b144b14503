"""Data sets by name: embedded in the package (MNIST, text), computed (points, voxels, oracle) or downloaded (Fashion-MNIST).

Files of a user are read in readers/.
"""
