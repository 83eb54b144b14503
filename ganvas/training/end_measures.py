"""What the end of a run measures for result.json: the distance of the samples to the data, and the test split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ganvas.core.capabilities import Samples, TakesInputs, Writes
from ganvas.core.game import Game
from ganvas.data.dataset import Dataset
from ganvas.data.table import TableDataset
from ganvas.errors import GanvasError
from ganvas.evaluation import validation
from ganvas.training.doctor_case import Case
from ganvas.training.run_folder import Run
from ganvas.training.test_split import measure_test_split, open_test_split
from ganvas.utils.parsing import spell_count


def measure_end(run: Run, game: Game, items: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The measures of a game that was trained on `items` images; `tell` gets a message for each that cannot be made.

    `distance` is that of the doctor, from few samples and in seconds: its `name`, `value`, `floor` (of as many other reals) and
    `trivial` (of a trivial model). Of a game that takes inputs, `outputs` has the `name` and `value` of the validation measure
    of held-out rows, its `floor` if it has one, and in `trivial` the name and the value of a trivial baseline. The others are
    those of `measure_test_split`. `not_measured` says what was not, and why, where there are too few samples.
    """
    found: dict[str, Any] = {}
    if isinstance(game, Samples):
        try:
            case = Case(run, game, {"items": items})
            distance = case.distance
        except GanvasError as failure:  # no reason to lose the run
            tell(f"no distance to the data: {failure}")
        else:
            if distance is None:
                found["not_measured"] = f"no distance to the data: {case.missing_distance}"
                tell(found["not_measured"])
            else:
                parts = ("value", "floor", "trivial")
                found["distance"] = {"name": distance.name, **{part: round(getattr(distance, part), 6) for part in parts}}
    if isinstance(game, TakesInputs) and run.held_out is not None:
        try:
            found |= _measure_outputs(game, run.data, run.held_out)
        except GanvasError as failure:
            tell(f"the outputs cannot be measured: {failure}")
    if (test := open_test_split(run.recipe, run.data, game, tell)) is not None:
        found |= measure_test_split(game, test)
    elif isinstance(game, TakesInputs) and (count := len(run.held_out or ())) < validation.LEAST:
        rows = spell_count(count, run.data.modality.unit)
        found["not_measured"] = f"no error of held-out outputs: {rows} held out; expected at least {validation.LEAST}"
        tell(found["not_measured"])
    elif isinstance(game, Writes) and isinstance(run.held_out, TableDataset):
        found["test_nats_per_symbol"] = validation.nats_per_symbol(game, run.held_out)
    return found


def _measure_outputs(game: Game, data: Dataset, held_out: Dataset) -> dict[str, Any]:
    """The part of result.json of a game that takes inputs; {} if too few rows are held out."""
    measured = validation.measure(game, held_out)
    if measured is None or not isinstance(game, TakesInputs):
        return {}
    outputs: dict[str, Any] = {"name": measured[0], "value": round(measured[1], 6)}
    if (floor := validation.floor(data, held_out, game)) is not None:
        outputs["floor"] = round(floor, 6)
    if (baseline := validation.measure_baseline(game, data, held_out)) is not None:
        outputs["trivial"] = {"name": baseline[0], "value": round(baseline[1], 6)}
    return {"outputs": outputs}
