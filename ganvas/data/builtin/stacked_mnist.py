"""Stacked-MNIST: three random digits as the three channels of one image, 1,000 modes.

Source: Metz et al. 2016, arXiv:1611.02163 sec. 3.3.1; Srivastava et al. 2017, arXiv:1705.07761 sec. 5.2.
"""

from __future__ import annotations

import numpy as np

from ganvas.data.builtin import mnist
from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.folder_layout import BOTH
from ganvas.data.readers.numpy_arrays import array_pictures
from ganvas.utils.seeds import mix

COUNTS = {"train": 120_000, "test": 26_000}  # papers measure with 26,000 samples


def find(split: str) -> DataSource:
    """The images of one split: always the same; the numbers of uses of the digits differ by at most one."""
    digits = mnist.find(split)
    return DataSource("stacked MNIST", (*digits.identity, ("stacked", COUNTS[split], 1)), lambda: _load(split))


def _load(split: str) -> ImageCollection:
    images, count = mnist.load_digits(split)[0], COUNTS[split]
    random = np.random.default_rng(mix("stacked", split))
    rounds = -(-count // len(images))
    channels = [images[np.concatenate([random.permutation(len(images)) for _ in range(rounds)])[:count]] for _ in range(3)]
    return array_pictures(np.concatenate(channels, 3), None, (), "stacked MNIST", BOTH, usual=True)
