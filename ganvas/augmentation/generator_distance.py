"""How far the samples of a generator are from the data that they are to be added to; one that is too far is refused.

The distance is that of `ganvas doctor`: a Fréchet distance beside its floor (as many other reals) and that of a trivial model
(always the same sample). Too far is more than an eighth of the way from the floor to the trivial model.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import DataError
from ganvas.training.doctor_distance import Distance, measure

FAR = 0.12  # of the way from the floor to a trivial model, as in training/doctor_case.py
SETS = 3  # of other reals, for the floor
FEWEST = 32  # samples
MOST = 500


def measure_distance(fakes: Tensor, of_fakes: Tensor, real: Tensor, labels: Tensor, source: str) -> Distance:
    """The distance of fakes uint8 [n, C, H, W] of classes [n] to real pictures [m, C, H, W] of classes [m].

    Fakes, reals and the reals of the floor have the same number of each class: another mix would be a distance by itself.
    `source` is the name of the data, which decides the features.

    Raises:
        DataError: fewer than 32 real pictures in each half, so that there is no floor.
    """
    random = torch.Generator().manual_seed(4)
    classes = [int(c) for c in labels.unique()]
    most = max(1, MOST // len(classes))
    sets: list[list[Tensor]] = [[] for _ in range(SETS + 1)]
    drawn = []
    for c in classes:
        mine, samples = (labels == c).nonzero()[:, 0], (of_fakes == c).nonzero()[:, 0]
        mine = mine[torch.randperm(len(mine), generator=random)]
        share = min(len(mine) // 2, len(samples), most)
        for k, part in enumerate(mine.split(share)[: SETS + 1] if share else ()):
            sets[k] += [part] if len(part) == share else []
        drawn.append(samples[:share])
    full = [torch.cat(rows) for rows in sets if rows]
    n = len(full[0]) if full else 0
    if n < FEWEST:
        raise DataError(
            f"too few real pictures to tell how far the generator is: expected at least {2 * FEWEST}, found {len(real)}; "
            "add some"
        )
    others = [real[rows] for rows in full[1:] if len(rows) == n]
    return measure(fakes[torch.cat(drawn)], real[full[0]], others, source)


def require_near(distance: Distance, name: str) -> None:
    """Raises: DataError: the generator `name` is too far from the data; says how far."""
    if is_far(distance):
        raise DataError(
            f"{name} is too far from these pictures to be mixed with them: {distance.text()}; that is {distance.share:.0%} of "
            f"the way from real pictures to one repeated picture, expected at most {FAR:.0%}; train it longer, or on these "
            "pictures"
        )


def is_far(distance: Distance) -> bool:
    """Whether it is too far. A distance that is not a number is."""
    return not distance.share <= FAR
