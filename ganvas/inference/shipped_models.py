"""The models that come with ganvas: a bundle each in `shipped/`, and what was measured of it in `shipped/models.json`.

The name of one stands wherever a run folder or a bundle does, unless a file or folder here has this name. They are made by
`tools/train_models.py`: without the networks that only training needs, and with weights of 16 bits.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ganvas.errors import UsageError
from ganvas.utils.parsing import printable

SHIPPED = Path(__file__).with_name("shipped")
INDEX = "models.json"


@dataclass(frozen=True)
class Measured:
    """A measure of `ganvas eval`, and its floor: what as many other real samples have; None: it has none."""

    value: float
    floor: float | None = None
    baseline: float | None = None  # such as of the copied input


@dataclass(frozen=True)
class ShippedModel:
    """What is known of a model. `measured`: by name as of `ganvas eval`; `machine`: on which it took `minutes`."""

    name: str
    recipe: str
    about: str
    command: str  # trains it again
    items: int  # pictures that it was trained on
    seed: int
    minutes: float
    machine: str
    data: str
    licence: str  # of the data
    measured: Mapping[str, Measured]
    bits: int  # of each weight
    bytes: int
    sha256: str

    @property
    def path(self) -> Path:
        """The bundle."""
        return SHIPPED / f"{self.name}.safetensors"


@cache
def list_shipped() -> tuple[ShippedModel, ...]:
    """The models, in the order of the lectures."""
    rows = json.loads((SHIPPED / INDEX).read_text(encoding="utf-8"))
    return tuple(_read(row) for row in rows)


def _read(row: dict[str, Any]) -> ShippedModel:
    measured = {name: Measured(**values) for name, values in row.pop("measured").items()}
    return ShippedModel(**row, measured=measured)


def find_model(path: str | Path) -> Path:
    """`path`; where nothing is there and it is the name of a model that comes with ganvas, the bundle of this model."""
    path = Path(path)
    if len(path.parts) != 1 or path.suffix or path.exists():
        return path
    return next((model.path for model in list_shipped() if model.name == path.name), path)


def explain_absence(name: str) -> str:
    """That no model that comes with ganvas is called so, and which one was probably meant."""
    near = difflib.get_close_matches(name[:80].lower(), [model.name for model in list_shipped()], n=1, cutoff=0.7)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"no model that comes with ganvas (ganvas models) has this name{hint}"


def require_run(folder: str | Path) -> None:
    """Raises: UsageError: nothing is there, and it is the name of a model that comes with ganvas: it has no run folder."""
    if (bundle := find_model(folder)) == Path(folder):
        return
    model = next(each for each in list_shipped() if each.path == bundle)
    raise UsageError(
        f"{printable(folder)} comes with ganvas as a model alone, without the log and the checkpoints of a run; train one: "
        f"{model.command}, or begin with its weights: ganvas train {model.recipe} --from {model.name}"
    )
