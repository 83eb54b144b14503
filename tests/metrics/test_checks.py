"""A wrong input is one clear line: what was wrong, expected, found, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ganvas.errors import UsageError
from ganvas.metrics.confidence import jackknife, wilson
from ganvas.metrics.features import extract_features
from ganvas.metrics.frechet import frechet_distance, frechet_from_moments
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.kernel_distance import kernel_distance, polynomial_mmd
from ganvas.metrics.memorization import memorization
from ganvas.metrics.modes import mixture_modes, stacked_modes
from ganvas.metrics.nearest_neighbours import nearest
from ganvas.metrics.perceptual_path_length import perceptual_path_length
from ganvas.metrics.precision_recall import density_coverage, precision_recall
from ganvas.metrics.resize import resize
from ganvas.metrics.sliced_wasserstein import sliced_wasserstein, wasserstein_1d
from ganvas.metrics.ssim import diversity, ms_ssim, ssim

GOOD, NAN = torch.randn(30, 4), torch.tensor([[1.0, float("nan")], [float("inf"), 2.0]])
IMAGES = torch.zeros(4, 1, 32, 32, dtype=torch.uint8)

OF_TWO: dict[str, Callable[[Tensor, Tensor], object]] = {
    "frechet": frechet_distance,
    "kernel": kernel_distance,
    "polynomial_mmd": polynomial_mmd,
    "precision_recall": precision_recall,
    "density_coverage": density_coverage,
}


@pytest.mark.parametrize("measure", OF_TWO.values(), ids=OF_TWO.keys())
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.randn(30), "expected one row per sample, [N, d], found shape [30]"),
        (torch.randn(30, 4, 2), "expected one row per sample, [N, d], found shape [30, 4, 2]"),
        (torch.randn(30, 0), "found shape [30, 0]"),
        (torch.randn(1, 4), "expected at least 2 samples, found 1; draw more"),
        (torch.randn(30, 5), "expected the same number of features, found"),
        (NAN, "expected finite numbers, found 2 of 4 that are NaN or infinite"),
    ],
)
def test_two_sets_of_features(measure: Callable[[Tensor, Tensor], object], wrong: Tensor, message: str) -> None:
    for pair in ((GOOD, wrong), (wrong, GOOD)):
        with pytest.raises(UsageError) as error:
            measure(*pair)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
        assert ";" in str(error.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: frechet_from_moments(GOOD[0], GOOD, GOOD[0], GOOD), "found [[4], [30, 4], [4], [30, 4]]"),
        (lambda: kernel_distance(GOOD, GOOD, block=1), "block: expected a whole number at least 2, found 1"),
        (lambda: precision_recall(GOOD, GOOD, k=0), "k: expected a whole number from 1 to 29, found 0"),
        (lambda: density_coverage(GOOD, GOOD, k=30), "k: expected a whole number from 1 to 29, found 30"),
        (lambda: inception_score(GOOD, splits=16), "splits: expected a whole number from 1 to 15, found 16"),
        (lambda: inception_score(NAN), "logits: expected finite numbers, found 2 of 4"),
        (lambda: inception_score(GOOD[0]), "logits: expected one row per sample, [N, d], found shape [4]"),
        (lambda: nearest(GOOD, GOOD[:, :3]), "nearest: expected queries and bank of one size and range"),
        (lambda: nearest(IMAGES, IMAGES / 255), "found 1024 numbers of torch.uint8 and 1024 of torch.float32"),
        (lambda: nearest(GOOD[:0], GOOD), "queries: expected at least 1 samples [N, ...], found shape [0, 4]"),
        (lambda: nearest(GOOD, GOOD, chunk=0), "chunk: expected a whole number at least 1, found 0"),
        (lambda: memorization(GOOD, GOOD, GOOD[:19]), "held-out: expected at least 20 samples [N, ...], found shape [19, 4]"),
        (lambda: memorization(GOOD, NAN, GOOD), "train: expected finite numbers"),
        (lambda: memorization(GOOD, GOOD, GOOD), "held-out: expected samples that are not in the training set, found 30 of 30"),
        (lambda: sliced_wasserstein(IMAGES, IMAGES[:, :, 1:]), "found [1, 32, 32] and [1, 31, 32]; resize one"),
        (lambda: sliced_wasserstein(IMAGES[0], IMAGES), "real: expected images [N, C, H, W], found shape [1, 32, 32]"),
        (
            lambda: sliced_wasserstein(IMAGES[..., :15], IMAGES),
            "real: expected images of at least 16 x 16 pixels, found 32 x 15",
        ),
        (lambda: sliced_wasserstein(IMAGES, IMAGES.float() / 0), "fake: expected finite numbers"),
        (lambda: sliced_wasserstein(IMAGES, IMAGES.long()), "fake: expected uint8 or floating point images, found torch.int64"),
        (lambda: sliced_wasserstein(IMAGES[:0], IMAGES), "real: expected at least 1 images, found 0"),
        (lambda: sliced_wasserstein(IMAGES, IMAGES, patches=0), "patches: expected a whole number at least 1, found 0"),
        (lambda: wasserstein_1d(GOOD, GOOD), "wasserstein_1d: expected numbers [N] and [M]"),
        (lambda: wasserstein_1d(NAN[0], GOOD[0]), "a: expected finite numbers, found 1 of 2"),
        (lambda: ssim(IMAGES, IMAGES[:2]), "a and b: expected pairs of one shape"),
        (lambda: ms_ssim(IMAGES[..., :10], IMAGES[..., :10]), "a: expected images of at least 11 x 11 pixels, found 32 x 10"),
        (lambda: ms_ssim(IMAGES, IMAGES.float() - 1), "b: expected bytes or floats from 0 to 1, found -1 to -1"),
        (lambda: diversity(IMAGES[:1]), "images: expected at least 2 images, found 1"),
        (
            lambda: diversity(IMAGES, torch.tensor([1, 1, 5, 1])),
            "expected at least 2 images of every class, found 1 of class 5",
        ),
        (lambda: diversity(IMAGES, torch.tensor([1, 1])), "labels: expected one for each of 4 images, found shape [2]"),
        (lambda: perceptual_path_length(torch.tanh, None, GOOD, GOOD[1:]), "expected two sets of at least 2 latents [N, d]"),
        (lambda: perceptual_path_length(torch.tanh, None, GOOD, GOOD, eps=0), "found 'z', 0, 0.01"),
        (lambda: perceptual_path_length(torch.tanh, None, GOOD, GOOD, trim=0.5), "found 'z', 0.0001, 0.5"),
        (lambda: perceptual_path_length(torch.Tensor.byte, None, GOOD, -GOOD), "expected float images, found torch.uint8"),
        (lambda: perceptual_path_length(lambda z: z / 0, None, GOOD, GOOD), "features: expected finite numbers"),
        (lambda: mixture_modes(GOOD, GOOD[:, :3], 1.0), "points and centres: expected the same number of features"),
        (lambda: mixture_modes(GOOD[:1], GOOD, 1.0), "points: expected at least 2 samples, found 1"),
        (lambda: mixture_modes(GOOD, GOOD, 0.0), "sd: expected a finite number above 0, found 0.0"),
        (lambda: mixture_modes(NAN, GOOD[:, :2], 1.0), "points: expected finite numbers"),
        (lambda: stacked_modes(torch.zeros(5, 2, dtype=torch.int64)), "classes: expected whole digits [N, 3]"),
        (
            lambda: stacked_modes(torch.zeros(5, 3)),
            "classes: expected whole digits [N, 3], one a channel, found torch.float32 [5, 3]",
        ),
        (lambda: stacked_modes(torch.full((5, 3), 10)), "classes: expected digits from 0 to 9, found 10 to 10"),
        (lambda: jackknife(lambda x: 0.0, GOOD[:9]), "jackknife: expected sets of at least 10 rows, found [9]"),
        (lambda: jackknife(lambda: 0.0), "jackknife: expected sets of at least 10 rows, found []"),
        (lambda: jackknife(lambda x: 0.0, GOOD, groups=1), "groups: expected a whole number at least 2, found 1"),
        (lambda: wilson(1.5, 10), "share: expected 0 to 1, found 1.5; divide the count by n"),
        (lambda: resize(IMAGES, 0), "side: expected a whole number at least 1, found 0"),
        (lambda: resize(GOOD, 8), "images: expected images [N, C, H, W], found shape [30, 4]"),
        (lambda: extract_features(nn.Flatten(), IMAGES / 255), "images: expected bytes, found torch.float32"),
        (
            lambda: extract_features(nn.Identity(), IMAGES),
            "features: expected one row per sample, [N, d], found shape [500, 1, 32, 32]",
        ),
        (
            lambda: extract_features(lambda x: x.flatten(1)[:3], IMAGES),
            "features: expected one row an image, [500, d], found [3, 1024]",
        ),
        (lambda: extract_features(lambda x: x.flatten(1) / 0, IMAGES), "features: expected finite numbers"),
    ],
)
def test_a_wrong_request_is_one_clear_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        call()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert ";" in str(error.value)
