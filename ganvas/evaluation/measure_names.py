"""The names of all measures and their meaning. Imports no PyTorch, so that `--help` is fast."""

from __future__ import annotations

from collections.abc import Mapping

SAMPLES: Mapping[str, str] = {
    "fd": "Fréchet distance of features",
    "kd": "kernel distance of features",
    "precision": "share of samples where reals lie",
    "recall": "share of reals where samples lie",
    "density": "how many reals lie round a sample",
    "coverage": "share of reals with a sample near",
    "score": "inception score",
    "requested": "share of samples that a classifier recognizes as the requested class",
    "each": "requested, of each class",
    "rarest": "share of the rarest class",
    "commonest": "share of the commonest class",
    "swd": "sliced Wasserstein distance of patches",
    "msssim": "similarity of pairs of one class",
    "sharpness": "variance of the Laplacian",
    "connected": "share of voxel grids in one part",
    "memorisation": "whether training images are repeated",
    "modes": "modes of a known mixture",
    "agreement": "pixels of a couple that agree",
    "ppl": "perceptual path length",
    "cas": "accuracy of a classifier trained on samples",
}
INPUTS: Mapping[str, str] = {  # of a model that takes inputs, in addition to measures of sets
    "mae": "mean absolute error (L1) of outputs against the truth, 0 to 1",
    "psnr": "peak signal-to-noise ratio of outputs against the truth, in dB; at most 100",
    "ssim": "structural similarity of outputs and truth",
    "cycle": "mean absolute error (L1) of inputs, translated there and back, against themselves, 0 to 1",
    "psnr_hole": "PSNR of the pixels that inpainting filled",
    "psnr_y": "PSNR of the brightness, as papers on super-resolution report it",
    "ssim_y": "SSIM of the brightness",
    "pixel_accuracy": "share of pixels of a label map with the true class",
    "found": "share of a map's pixels whose class is found again in the picture, by color",
    "miou": "mean intersection over union of the classes found by color and those of the map",
    "variety": "mean difference of two pictures of one map, 0 to 1",
    "keypoint_error": "distance of true joints from the best linear map of the keypoints, over the side",
    "equivariance": "distance of keypoints of a bent frame, bent back, from those of the frame, over the side",
}
TEXT: Mapping[str, str] = {
    "distinct": "share of different lines",
    "novel": "share of lines that are not in the training set",
    "unigrams": "divergence of single symbols",
    "bigrams": "divergence of pairs",
    "trigrams": "divergence of triples",
    "fourgrams": "divergence of runs of four",
    "edit": "edits to the nearest training line",
    "nats": "nats a symbol of held-out lines",
    "oracle": "nats a symbol under the known law",
}
CLASSIFIERS: Mapping[str, str] = {
    "accuracy": "share of real samples whose class a classifier names",
    "each": "accuracy, of each class",
}
