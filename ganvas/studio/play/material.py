"""What is played on: the points of a setup as a source, where they lie, and what is known of their distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ganvas.data import MODES, Mixture, Source
from ganvas.data.points import point_source
from ganvas.data.source import fingerprint
from ganvas.metrics.cells import Cells
from ganvas.seeds import mix
from ganvas.studio.play.setup import Setup

JITTER = 0.02  # sd of the points round each place of the brush
COPIES = 20_000  # points in the table made from drawn ones
REACH = {"grid": 5.5, "normal1d": 3.5, "mixture1d": 2.5, "gaussians": 2.2}
SIDE = {1: 100, 2: 40}  # cells along an axis


@dataclass(frozen=True, eq=False)
class Material:
    """`reach`: the picture shows from -reach to reach on each axis. `mixture`: where the density is known."""

    source: Source
    reach: float
    cells: Cells
    masses: Tensor  # of the data in the cells
    mixture: Mixture | None = None

    @property
    def points(self) -> Tensor:
        """All points [N, D]."""
        return self.source.fields["real"]


@lru_cache(maxsize=4)
def material(data: str, seed: int, drawn: tuple[tuple[float, float], ...]) -> Material:
    """The points called `data`, or those made from `drawn` ones."""
    if drawn:
        generator = torch.Generator().manual_seed(mix("drawn", seed))
        places = torch.tensor(drawn)[torch.randint(len(drawn), (COPIES,), generator=generator)]
        fields = {"real": places + JITTER * torch.randn(COPIES, 2, generator=generator)}
        source = Source(data, fields, fingerprint=fingerprint(fields))
    else:
        source = point_source(data, "train")
    reach = REACH.get(data, 1.6)
    cells = Cells(-reach, reach, SIDE[source.dims], source.dims)
    mixture = MODES.get(data)
    if mixture:
        return Material(source, reach, cells, cells.masses(mixture.centres, mixture.sd), mixture)
    counts = cells.counts(source.fields["real"])
    return Material(source, reach, cells, counts / counts.sum())


def labelled(setup: Setup, stuff: Material) -> tuple[Source, int] | None:
    """The same points with classes, the modes they come from; None where there is one class only."""
    points = stuff.points
    if stuff.mixture and len(stuff.mixture.centres) > 1:
        classes = len(stuff.mixture.centres)
        label = torch.cdist(points, stuff.mixture.centres).argmin(1)
    elif setup.data == "moons":
        # The moons are half circles round (-0.5, -0.25) and (0.5, 0.25): each point belongs to the nearer arc.
        arcs = [((points - torch.tensor(c)).norm(dim=1) - 1).abs() for c in ((-0.5, -0.25), (0.5, 0.25))]
        side = [points[:, 1] + 0.25 >= -0.1, points[:, 1] - 0.25 <= 0.1]
        classes = 2
        far = [torch.where(ok, arc, 9.0) for arc, ok in zip(arcs, side, strict=True)]
        label = (far[1] < far[0]).long()
    else:
        return None
    return Source(setup.data, {"real": points, "label": label}, tuple(map(str, range(classes)))), classes
