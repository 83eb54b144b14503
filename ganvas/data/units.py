"""Units of points: coordinates that are far from 0, or of unlike scales, are standardised for the networks.

A network that starts near 0 with a spread of about 1 would need many steps only to reach points near a million, and would not
see a coordinate a thousand times smaller than another. Points that are near the origin and of about unit scale already stay as
they are. The mean and the scale are settings of the run, `data.center` and `data.scale`, so that a model draws in the units of
the user.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import DataError

FAR = 10.0  # a mean farther from 0 is standardised
SCALES = (0.1, 10.0)  # and so is a standard deviation outside of these
EXACT = 1e-3  # of a standard deviation: points that float32 rounds by more are kept as float64
PART = 1 << 20  # points at a time: this bounds the memory


@dataclass(frozen=True)
class Units:
    """The mean and the standard deviation of each coordinate [D]."""

    center: tuple[float, ...]
    scale: tuple[float, ...]

    @property
    def usual(self) -> bool:
        """Whether points of these units can stay as they are."""
        return all(abs(mean) <= FAR for mean in self.center) and all(SCALES[0] <= each <= SCALES[1] for each in self.scale)

    def standardize(self, points: Tensor) -> Tensor:
        """Points [N, D] in the units of the user -> float32 [N, D] with mean 0 and standard deviation 1."""
        return ((points.double() - points.new_tensor(self.center, dtype=torch.float64)) / self._scale(points)).float()

    def restore(self, points: Tensor) -> Tensor:
        """The inverse of `standardize`, in float64."""
        return points.double() * self._scale(points) + points.new_tensor(self.center, dtype=torch.float64)

    def require(self, dims: int, name: str) -> None:
        """Raises: DataError: these are units of points of another number of coordinates."""
        if len(self.center) != dims or len(self.scale) != dims:
            raise DataError(f"{name}: expected points of {len(self.center)} numbers, as the run has, found {dims}")

    def _scale(self, points: Tensor) -> Tensor:
        return points.new_tensor(self.scale, dtype=torch.float64)


def measure_units(points: Tensor) -> Units:
    """The mean and the standard deviation of points [N, D]; 1 for a coordinate that does not vary."""
    center = torch.stack([part.double().sum(0) for part in points.split(PART)]).sum(0) / len(points)
    squares = torch.stack([(part.double() - center).square().sum(0) for part in points.split(PART)])
    scale = (squares.sum(0) / len(points)).sqrt()
    # A mean has a rounding error of its own: a coordinate that varies less does not vary.
    scale = torch.where(scale > 1e-12 * center.abs(), scale, torch.ones_like(scale))
    return Units(tuple(center.tolist()), tuple(scale.tolist()))


def choose_units(points: Tensor) -> Units | None:
    """The units that a network needs for points [N, D]; None: they can stay as they are."""
    units = measure_units(points)
    return None if units.usual else units


def keep_exact(points: Tensor) -> Tensor:
    """Points float64 [N, D] as float32, unless that would round them by more than a thousandth of their spread."""
    units = measure_units(points)
    coarse = torch.maximum(points.amax(0), -points.amin(0)) * torch.finfo(torch.float32).eps
    return points if bool((coarse > EXACT * torch.tensor(units.scale, dtype=torch.float64)).any()) else points.float()
