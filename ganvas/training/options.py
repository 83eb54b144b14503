"""How a recipe is trained, as the command line and Python both take it. Imports no torch: `--help` answers at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.errors import UsageError
from ganvas.utils.whole_numbers import Whole

_HOW = Parameter(group="How it runs")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What `ganvas train` and `ganvas.train` have in common. None: as the recipe has it.

    Parameters
    ----------
    data
        Instead of the recipe's own: a folder or zip of pictures (one sub-folder per class), IDX, .npy, .npz, CSV, .txt.
    minutes
        Training time; a probe of three seconds converts it into a number of images, once.
    images
        How many images (or points) are shown.
    out
        The run folder; without it the next number under runs/.
    seed
        Seed of all random numbers.
    objective
        minimax, nonsaturating, leastsquares, wasserstein, wasserstein-gp, hinge or relativistic.
    balance
        auto keeps the two players at a similar level; fixed plays the recipe as it is; rest has the discriminator rest while
        it is right about more than 80 % of the last batch; off does not even watch.
    batch
        Images per step.
    eval_every
        Images between two measurements against held-out samples; the best model is kept as best.safetensors.
    fit
        How images become square.
    device
        auto, cpu, cuda, cuda:1, ...
    precision
        auto times both.
    ranks
        Processes on this machine: a number, or auto for what is fastest.
    """

    data: str | None = None
    minutes: float | None = None
    images: Whole | None = None
    out: Path | None = None
    seed: Whole | None = None
    objective: str | None = None
    balance: Literal["auto", "fixed", "rest", "off"] | None = None
    batch: Whole | None = None
    eval_every: Whole | None = None
    fit: Literal["crop", "pad", "stretch"] | None = None
    device: Annotated[str, _HOW] = "auto"
    precision: Annotated[Literal["auto", "float32", "bfloat16"] | None, _HOW] = None
    ranks: Annotated[str, _HOW] = "auto"

    @property
    def recipe_fields(self) -> dict[str, Any]:
        """Those that change the recipe, by name, for `resolve`."""
        elsewhere = ("out", "device", "ranks")
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in elsewhere}

    @property
    def run_fields(self) -> dict[str, Any]:
        """Those that say where and how the run is played, by name, for `start`."""
        return {name: getattr(self, name) for name in ("out", "minutes", "device", "ranks")}


def split_options(named: Mapping[str, Any]) -> tuple[TrainOptions, dict[str, Any]]:
    """Python's keyword arguments as options, and as settings by dotted path.

    Raises:
        UsageError: `ranks` is neither a number nor "auto".
    """
    known = {f.name for f in dataclasses.fields(TrainOptions)}
    options = {name: value for name, value in named.items() if name in known}
    for name, kind in (("data", str), ("out", Path), ("ranks", str)):
        if options.get(name) is not None:
            options[name] = kind(options[name])
    if (ranks := options.get("ranks", "auto")) != "auto" and not str(ranks).isdigit():
        raise UsageError(f"ranks: expected a number or auto, got {ranks!r}")
    return TrainOptions(**options), {name: value for name, value in named.items() if name not in known}
