"""The points of a play session: a source, the part of the plane that is shown, and what is known of the distribution."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data.builtin.point_sets import MODES, Mixture, point_source
from ganvas.data.readers import csv_points
from ganvas.data.table import TableDataset, fingerprint
from ganvas.errors import DataError, UsageError
from ganvas.metrics.histogram_divergence import Cells
from ganvas.studio.play.play_settings import CUSTOM_DATA, MAX_POINTS, PlaySettings
from ganvas.utils.seeds import mix

JITTER = 0.02  # sd of the points around each place of the brush
TABLE_ROWS = 20_000  # of the table made from a person's own points
REACH = {"grid": 5.5, "normal1d": 3.5, "mixture1d": 2.5, "gaussians": 2.2}
CELLS = {1: 100, 2: 40}  # along an axis
Places = tuple[tuple[float, float], ...]  # a person's own points


@dataclass(frozen=True, eq=False)
class PointData:
    """`reach`: the picture shows from -reach to reach on each axis. `mixture`: the exact distribution, if it is known."""

    source: TableDataset
    reach: float
    cells: Cells
    masses: Tensor  # of the data in the cells
    mixture: Mixture | None = None

    @property
    def points(self) -> Tensor:
        """All points [N, D]."""
        return self.source.fields["real"]


@lru_cache(maxsize=4)
def load_points(data: str, seed: int, places: Places) -> PointData:
    """The points called `data`, or those made from a person's own `places`."""
    if places:
        generator = torch.Generator().manual_seed(mix("drawn", seed))
        centres = torch.tensor(places)[torch.randint(len(places), (TABLE_ROWS,), generator=generator)]
        fields = {"real": centres + JITTER * torch.randn(TABLE_ROWS, 2, generator=generator)}
        source = TableDataset(data, fields, fingerprint=fingerprint(fields))
    else:
        source = point_source(data, "train")
    reach = REACH.get(data, 1.6)
    cells = Cells(-reach, reach, CELLS[source.dims], source.dims)
    mixture = MODES.get(data)
    if mixture:
        return PointData(source, reach, cells, cells.masses(mixture.centres, mixture.sd), mixture)
    counts = cells.counts(source.fields["real"])
    return PointData(source, reach, cells, counts / counts.sum())


def label_points(setup: PlaySettings, data: PointData) -> tuple[TableDataset, int] | None:
    """The same points with their class, which is the mode they come from, and the number of classes; None if there is one."""
    points = data.points
    if data.mixture and len(data.mixture.centres) > 1:
        classes = len(data.mixture.centres)
        label = torch.cdist(points, data.mixture.centres).argmin(1)
    elif setup.data == "moons":
        # The moons are half circles around (-0.5, -0.25) and (0.5, 0.25). Each point belongs to the nearer arc.
        arcs = [((points - torch.tensor(c)).norm(dim=1) - 1).abs() for c in ((-0.5, -0.25), (0.5, 0.25))]
        side = [points[:, 1] + 0.25 >= -0.1, points[:, 1] - 0.25 <= 0.1]
        classes = 2
        far = [torch.where(ok, arc, 9.0) for arc, ok in zip(arcs, side, strict=True)]
        label = (far[1] < far[0]).long()
    else:
        return None
    return TableDataset(setup.data, {"real": points, "label": label}, tuple(map(str, range(classes)))), classes


def check_points(points: object, setup: PlaySettings) -> Places:
    """A person's own points: pairs of numbers between -1.5 and 1.5. () for data that bring their points.

    Raises:
        UsageError: there are too many, none where the data need them, or they are not such pairs.
    """
    if setup.data not in CUSTOM_DATA:
        return ()
    if not isinstance(points, list) or not 1 <= len(points) <= MAX_POINTS:
        raise UsageError(f"points: expected 1 to {MAX_POINTS:,} pairs; draw something first")
    pairs: list[tuple[float, float]] = []
    for point in points:
        if not isinstance(point, (list, tuple)) or len(point) != 2 or not all(type(c) in (int, float) for c in point):
            raise UsageError("points: expected pairs of numbers")
        x, y = float(point[0]), float(point[1])
        if not (abs(x) <= 1.5 and abs(y) <= 1.5):
            raise UsageError("points: expected numbers between -1.5 and 1.5")
        pairs.append((x, y))
    return tuple(pairs)


def read_points(body: bytes) -> dict[str, object]:
    """Points from a CSV file of two columns, at most 2,000 of them, with the middle at 0 and the farthest coordinate at 1.

    Raises:
        DataError: it cannot be read, or has another number of columns.
    """
    with tempfile.TemporaryDirectory(prefix="ganvas-") as folder:
        path = Path(folder) / "points.csv"  # never a name that the page gave
        path.write_bytes(body)
        try:
            points = csv_points.load(path).samples
        except DataError as wrong:  # without the path, which tells the sender nothing
            raise DataError(re.sub(rf"^{re.escape(str(path))}[,:] ", "", str(wrong))) from None
    if points.shape[1] != 2:
        raise DataError(f"expected two columns, x and y; found {points.shape[1]}")
    count = len(points)
    if count > MAX_POINTS:
        points = points[torch.randperm(count, generator=torch.Generator().manual_seed(0))[:MAX_POINTS]]
    low, high = points.amin(0), points.amax(0)
    points = (points - (low + high) / 2) / ((high - low).max() / 2).clamp_min(1e-12)
    return {"points": [[round(float(x), 3), round(float(y), 3)] for x, y in points], "rows": count}
