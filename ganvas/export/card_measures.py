"""The measures in a model card: those of the run folder, or of a model that comes with ganvas. Only what was measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.errors import DataError
from ganvas.evaluation import measure_names
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.shipped_models import ShippedModel, list_shipped
from ganvas.utils.files import read_json, read_regular
from ganvas.utils.parsing import is_number, parse_json

MOST_MEASURES = 40  # rows of the table
FOLDERS = re.compile(r"(?<!\S)(?:[A-Za-z]:)?[/\\~].*[/\\]")  # of a path of this machine in a sentence
NAME = re.compile(r"([a-z_]+?)(\d+k?)?(-[^: ]*)?( .*)?(:.*)?")  # of a measure: fd10k-digits, mae298 a>b, each10k-digits:7
MEANINGS: Mapping[str, str] = {
    **measure_names.SAMPLES, **measure_names.INPUTS, **measure_names.TEXT, **measure_names.CLASSIFIERS
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One measured number with its conditions. `baseline`: of something trivial, such as the copied input."""

    name: str
    value: float
    interval: float | None
    floor: float | None
    count: int | None
    baseline: float | None = None

    @property
    def meaning(self) -> str:
        """What it measures, in words; "" if this version of ganvas does not know it."""
        found = NAME.fullmatch(self.name)
        return MEANINGS.get(found[1], "") if found else ""


def find_shipped(model: LoadedGame) -> ShippedModel | None:
    """The model that comes with ganvas, if it is this one, also as a copy of its file."""
    return next((each for each in list_shipped() if each.sha256.startswith(model.identity)), None)


def find_measures(model: LoadedGame, run: Path) -> tuple[list[Measure], str]:
    """The measures of a model, and what they were compared with: of its run folder, or as they were shipped."""
    measures, reference = read_measures(run, int(model.card["items"]))
    shipped = find_shipped(model)
    if measures or shipped is None:
        return measures, reference
    rows = shipped.measured.items()
    return [Measure(name, m.value, None, m.floor, None, m.baseline) for name, m in rows], "held-out data"


def read_measures(run: Path, items: int | None = None) -> tuple[list[Measure], str]:
    """The measures that a run folder keeps, and what they were compared with: of the last evaluation, else of the training.

    `items`: of the model; an evaluation of the same run at another time does not count. A file that is damaged or missing has
    no measures. Of a path of this machine only the last part is told.
    """
    if not run.is_dir():
        return [], ""
    with suppress(OSError, DataError, KeyError, TypeError, AttributeError):
        for line in reversed(read_regular(run / "metrics.jsonl").decode("utf-8", "replace").splitlines()):
            row = parse_json(line, "metrics.jsonl")
            if items is None or row.get("items", items) == items:
                found = [_measure(name, each) for name, each in list(row["metrics"].items())[:MOST_MEASURES]]
                return [each for each in found if each is not None], FOLDERS.sub("", str(row["reference"]))
    with suppress(OSError, DataError, KeyError, TypeError):
        distance = read_json(run / "result.json")["distance"]
        only = Measure(str(distance["name"]), float(distance["value"]), None, _number(distance.get("floor")), None)
        return [only], "held-out data, at the end of the training"
    return [], ""


def list_meanings(measures: Sequence[Measure]) -> list[tuple[str, str]]:
    """The names of the measures and what they measure, each meaning once."""
    found: dict[str, str] = {}
    for each in measures:
        if each.meaning:
            found.setdefault(each.meaning, each.name)
    return [(name, meaning) for meaning, name in found.items()]


def _measure(name: str, found: Any) -> Measure | None:
    if not isinstance(found, Mapping) or not is_number(found.get("value")):
        return None
    count = found.get("samples", found.get("count"))
    return Measure(
        name,
        float(found["value"]),
        _number(found.get("interval")),
        _number(found.get("floor")),
        count if type(count) is int else None,
        _number(found.get("baseline")),
    )


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None
