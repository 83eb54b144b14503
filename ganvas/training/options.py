"""The options of training, shared by the command line and Python. It imports no torch, so that `--help` is fast."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.errors import UsageError
from ganvas.utils.parsing import parse_index, printable
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

_HOW = Parameter(group="How it runs")
LEAST_MINUTES, MOST_MINUTES = 0.01, 5_256_000  # of a training: less than a second, ten years


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of `ganvas train` and `ganvas.train`. None: the value of the recipe.

    Parameters
    ----------
    data
        Data instead of the recipe's own: a folder or zip of images (one sub-folder a class), IDX, .npy, .npz, CSV, .txt.
    from_model
        A run or a bundle whose weights the new run begins with (transfer learning); its recipe, too, if none is named.
    minutes
        Training time. A measurement of three seconds converts it into a number of images, once.
    images
        Number of training images (or points, lines), repetitions included.
    out
        The run folder; the default is the next number in runs/.
    seed
        Seed of all random numbers.
    objective
        minimax, nonsaturating, leastsquares, wasserstein, wasserstein-gp, hinge or relativistic.
    balance
        auto keeps generator and discriminator at a similar skill; fixed only measures; rest lets the discriminator skip its
        update while it is right about more than 80 % of the last batch; off does not measure either.
    batch
        Images per step.
    eval_every
        Images between two measurements on held-out samples; the best model is saved as best.safetensors.
    fit
        How images become square: crop the sides, pad with black, or stretch.
    device
        auto (a GPU if there is one), cpu, cuda, cuda:1, ...
    precision
        auto times both.
    ranks
        Number of processes on this machine, or auto for the fastest.
    log
        Another place for the log, the sheets and the events: tensorboard (pip install 'ganvas[tensorboard]').
    """

    data: str | None = None
    from_model: Annotated[Path | None, Parameter(name="--from")] = None
    minutes: Real | None = None
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
    log: Annotated[Literal["tensorboard"] | None, _HOW] = None

    @property
    def recipe_fields(self) -> dict[str, Any]:
        """The options that change the recipe, by name: arguments of `resolve_recipe`."""
        elsewhere = ("from_model", "out", "device", "ranks", "log")
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in elsewhere}

    @property
    def run_fields(self) -> dict[str, Any]:
        """The options that say where and how the run is trained, by name: arguments of `start_run`."""
        return {name: getattr(self, name) for name in ("out", "minutes", "device", "ranks", "from_model")}


def split_options(named: Mapping[str, Any]) -> tuple[TrainOptions, dict[str, Any]]:
    """Keyword arguments as options, and the others as settings by dotted path.

    Raises:
        UsageError: `ranks` is neither a number nor "auto".
    """
    known = {f.name for f in dataclasses.fields(TrainOptions)}
    options = {name: value for name, value in named.items() if name in known}
    for name, kind in (("data", str), ("from_model", Path), ("out", Path), ("ranks", str)):
        if options.get(name) is not None:
            options[name] = kind(options[name])
    if (ranks := options.get("ranks", "auto")) != "auto" and not parse_index(str(ranks)):
        raise UsageError(f"ranks: expected a number or auto, got {printable(ranks, 60)!r}")
    return TrainOptions(**options), {name: value for name, value in named.items() if name not in known}


def require_minutes(minutes: float | None) -> None:
    """Raises: UsageError: no training can take so long."""
    if minutes is not None and not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise UsageError(f"minutes: expected a number from {LEAST_MINUTES:g} to {MOST_MINUTES:,}, got {minutes:g}")
