"""Do the 95 % intervals of `ganvas eval` cover the truth 95 times in 100? Gaussian features, so that the truth is known.

    python bench/intervals.py [--samples 500] [--repetitions 400] [--measures fd,kd] [--features 2] [--seed 0] [--trees]

Each repetition draws as many reals as fakes and measures them as `ganvas eval` does. Reals are N(0, I). Fakes are N(0, I) too
("equal"), or N(0.1, 1.1^2 I) ("near"). The truth of `kd` is the kernel distance of the two distributions. The truth of all
others is the expectation of the measure at this number of samples, here its mean over the repetitions. The error of the
coverage is its binomial standard error. --features: that many for every measure, instead of 16 for fd and kd and 4 for the
others. Runs of different seeds are independent. --trees: neighbours by k-d trees, the same numbers in a tenth of the time; for
many samples of few features.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import torch
from scipy.spatial import cKDTree  # type: ignore[import-untyped]
from torch import Tensor

from ganvas.evaluation.measures import COMPARE
from ganvas.evaluation.sample_sets import SampleSet
from ganvas.metrics.confidence import Halves
from ganvas.metrics.kernel_distance import feature_scale
from ganvas.metrics.precision_recall import SupportMeasures, support_measures

LAWS = {"equal": (0.0, 1.0), "near": (0.1, 1.1)}  # mean and standard deviation of the fakes
DISTANCES, SUPPORT = ("fd", "kd"), SupportMeasures._fields
FEATURES = dict.fromkeys(DISTANCES, 16) | dict.fromkeys(SUPPORT, 4)
ROW = "| {:<9} | {:>7} | {:<5} | {:>8} | {:>8} | {:>8} | {:>13} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--measures", default=",".join((*DISTANCES, *SUPPORT)))
    parser.add_argument("--features", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trees", action="store_true")
    options = parser.parse_args()
    chosen = options.measures.split(",")
    a, b = torch.randn(2, 300, FEATURES["recall"], dtype=torch.float64)
    if options.trees and support_by_trees(a, b) != support_measures(a, b):
        parser.exit(1, "the trees disagree with the measures\n")
    print(ROW.format("measure", "samples", "fakes", "truth", "sd", "interval", "coverage"))
    print(ROW.format(*("---" for _ in range(7))), flush=True)
    for law in LAWS:
        for features in sorted({options.features or FEATURES[name] for name in chosen}):
            names = [name for name in chosen if features in (options.features, FEATURES[name])]
            sizes = (features, options.samples, options.repetitions)
            for name, cells in simulate(names, law, *sizes, options.trees, options.seed).items():
                print(ROW.format(name, f"{options.samples:,}", law, *cells), flush=True)


def simulate(
    names: Sequence[str], law: str, d: int, n: int, repetitions: int, trees: bool, seed: int = 0
) -> dict[str, tuple[str, ...]]:
    """For each measure: its truth, its standard deviation, the mean half-width of its interval, and the coverage."""
    random = torch.Generator().manual_seed(seed)
    mean, sd = LAWS[law]
    found = {name: torch.empty(repetitions, 3, dtype=torch.float64) for name in names}  # value, interval, truth
    for i in range(repetitions):
        real = torch.randn(n, d, generator=random, dtype=torch.float64)
        fake = mean + sd * torch.randn(n, d, generator=random, dtype=torch.float64)
        measured = measure_with_trees(real, fake) if trees and set(names) <= set(SUPPORT) else measure(names, real, fake)
        scale = feature_scale(real).item()
        for name in names:
            known = 1000 * kernel_truth(mean / scale, sd / scale, 1 / scale, d) if name == "kd" else math.nan
            found[name][i] = torch.tensor([*measured[name], known])
    rows = {}
    for name, (value, interval, truth) in ((name, each.T) for name, each in found.items()):
        truth = value.mean().expand_as(value) if name != "kd" else truth
        covered = ((value - truth).abs() <= interval).double().mean().item()
        error = math.sqrt(covered * (1 - covered) / repetitions)
        numbers = (f"{each:.4g}" for each in (truth.mean().item(), value.std().item(), interval.mean().item()))
        rows[name] = (*numbers, f"{covered:.1%} ± {error:.1%}")
    return rows


def measure(names: Sequence[str], real: Tensor, fake: Tensor) -> dict[str, tuple[float, float]]:
    """Value and interval of each measure, as `ganvas eval` computes them."""
    side, reference = SampleSet(fake, None, None), SampleSet(real, None, None)
    return {name: (value, interval or math.nan) for name in names for value, interval in [COMPARE[name](side, reference)]}


def measure_with_trees(real: Tensor, fake: Tensor) -> dict[str, tuple[float, float]]:
    """The same for precision, recall, density and coverage."""
    value = support_by_trees(real, fake)
    halves = Halves.of(lambda a, b: support_by_trees(real[a], fake[b]), torch.arange(len(real)), torch.arange(len(fake)))
    found = {}
    for which, name in enumerate(SUPPORT):
        share = halves.share_interval(which, value[which], len(real)) if name != "density" else halves.interval(which)
        found[name] = (value[which], share)
    return found


def support_by_trees(real: Tensor, fake: Tensor, k: int = 3, k_coverage: int = 5) -> SupportMeasures:
    """`support_measures` by k-d trees."""
    reals, fakes = cKDTree(real.numpy()), cKDTree(fake.numpy())
    of_real, of_fake = reals.query(reals.data, k=[k + 1, k_coverage + 1])[0], fakes.query(fakes.data, k=[k + 1])[0][:, 0]
    inside = fakes.query_ball_point(reals.data, of_real[:, 1], return_length=True)
    return SupportMeasures(
        share_in_balls(fakes, reals, of_real[:, 0]),
        share_in_balls(reals, fakes, of_fake),
        float(inside.sum()) / (k_coverage * fakes.n),
        float((inside > 0).mean()),
    )


def share_in_balls(points: cKDTree, centres: cKDTree, radii: object) -> float:
    """The share of the points in at least one ball."""
    return float(len(set().union(*points.query_ball_point(centres.data, radii))) / points.n)


def kernel_truth(mean: float, sd: float, sd_real: float, d: int) -> float:
    """The kernel distance of N(mean, sd^2 I) and N(0, sd_real^2 I) in d dimensions: E k(x, x') + E k(y, y') - 2 E k(x, y)."""

    def expect(a: float, s: float, b: float, t: float) -> float:
        """E (x.y / d + 1)^3 of x ~ N(a, s^2 I) and y ~ N(b, t^2 I), from the first three moments of x.y."""
        dot, aa, bb = d * a * b, d * a * a, d * b * b
        second = dot**2 + s**2 * bb + t**2 * aa + d * s**2 * t**2
        third = dot**3 + 3 * dot * t**2 * aa + 3 * s**2 * (dot * (bb + d * t**2) + 2 * t**2 * dot)
        return third / d**3 + 3 * second / d**2 + 3 * dot / d + 1

    return expect(mean, sd, mean, sd) + expect(0, sd_real, 0, sd_real) - 2 * expect(mean, sd, 0, sd_real)


if __name__ == "__main__":
    main()
