"""Readers of a user's files, one module for each format: folders, zip, NumPy and CSV, IDX, text.

They return images or points; what becomes of them is in open.py. Built-in data sets are in builtin/.
"""
