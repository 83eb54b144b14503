"""What several commands take: whole numbers, settings, classes, seeds, and the options that they share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from ganvas.errors import UsageError
from ganvas.evaluation import measure_names
from ganvas.utils.whole_numbers import (
    Whole,  # for the verbs
)

MOST = 10_000  # numbers in a list


def parse_setting(text: str) -> tuple[str, str]:
    """FIELD=VALUE."""
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set expects FIELD=VALUE such as train.learning_rate=1e-3, got {text!r}")
    return path.strip(), value.strip()


def parse_labels(text: str | None) -> str | list[str] | None:
    """7, dog, all or 3,8."""
    return text.split(",") if text and "," in text else text


def parse_numbers(text: str) -> list[int]:
    """1,5,9 or 0-7 or both."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"expected seeds such as 1,5,9 or 0-7, got {text!r}")
        low, high = int(first), int(last or first)
        if high < low:
            raise UsageError(f"expected the smaller end of a range first, as in 0-7, got {part!r}")
        if len(found) + high - low >= MOST:
            raise UsageError(f"expected at most {MOST:,} numbers, got {text!r}")
        found += range(low, high + 1)
    return found


def parse_terms(text: str) -> list[tuple[int, str | None, list[int]]]:
    """ "1,2 - 4,5 + 7:1-3" as signs, classes where they are named, and seeds."""
    parts = re.split(r"\s+([+-])\s+", text.strip())
    signs = [1, *(1 if sign == "+" else -1 for sign in parts[1::2])]
    found = []
    for sign, part in zip(signs, parts[::2], strict=True):
        label, colon, seeds = part.rpartition(":")
        found.append((sign, label.strip() if colon else None, parse_numbers(seeds.strip())))
    return found


HOW = Group("How it runs")
Quiet = Annotated[bool, Parameter(negative="", group=HOW)]
Device = Annotated[str, Parameter(group=HOW, help="auto (a GPU where there is one), cpu, cuda, cuda:1, ...")]
RunPath = Annotated[Path, Parameter(help="A run folder or a bundle.")]
LABELS = Parameter(name=["--label", "--labels"], help="A class by number or name, several as 3,7, or all: each in turn.")
Label = Annotated[str | None, LABELS]
METRICS_HELP = (
    f"Some of these, separated by commas: {', '.join(measure_names.SAMPLES)}; of text: {', '.join(measure_names.TEXT)}."
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Running:
    """How a command runs, and where it tells the result."""

    device: Device = "auto"
    quiet: Annotated[Quiet, Parameter(help="Print nothing but errors.")] = False
    json: Annotated[Quiet, Parameter(help="Print JSON on standard output.")] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Writing(Running):
    """The same of a command that writes one file."""

    out: Annotated[
        Path | None, Parameter(help="The file to write. Without it, a new name in this folder: nothing is replaced.")
    ] = None

    def path(self, name: str) -> Path:
        """The file to write: `name` is the one without --out, as of `free_path`."""
        return free_path(self.out, name)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which samples of a model, and how they are drawn: the options of `Model.sample`."""

    seed: Annotated[Whole, Parameter(help="Of the first sample; sample i has seed SEED + i, on any device the same.")] = 0
    label: Label = None
    psi: Annotated[float, Parameter(help="Truncation of the styles of a stylegan model: nearer to the mean below 1.")] = 1.0
    truncate: Annotated[
        float | None,
        Parameter(help="Truncation of the noise of other models: what lies beyond +-TRUNCATE is drawn again."),
    ] = None

    def options(self) -> dict[str, Any]:
        """The keyword arguments of `Model.sample`."""
        return {"seed": self.seed, "label": parse_labels(self.label), "psi": self.psi, "truncate": self.truncate}


def free_path(out: Path | None, name: str) -> Path:
    """The file to write: `out` where it was given, else `name`, or name-2, name-3, ... where such a file exists.

    A file is only replaced by a command that names it.
    """
    if out is not None:
        return out
    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(f"{Path(name).stem}-{number}{Path(name).suffix}")
    return path
