"""Samples as pictures and files: grids, plots, PNG, GIF, MP4, .npz, meshes.

No models: whatever is drawn comes in as tensors. The sheet of a model is in inference/sheet.py.
"""
