"""Measures: pure functions, tensors in and numbers out: Fréchet distance, precision and recall, SSIM, ...

No models and no data sets: measures with a model, a reference and a floor are in evaluation/.
"""
