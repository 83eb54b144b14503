"""What the end of a run measures for result.json: the distance of the samples to the data, and the test split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ganvas.core.capabilities import Samples, Writes
from ganvas.core.game import Game
from ganvas.data.table import TableDataset
from ganvas.errors import GanvasError
from ganvas.evaluation import validation
from ganvas.training.doctor_case import Case
from ganvas.training.run_folder import Run
from ganvas.training.test_split import measure_test_split, open_test_split


def measure_end(run: Run, game: Game, items: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The measures of a game that was trained on `items` images; `tell` gets a message for each that cannot be made.

    `distance` is that of the doctor, from few samples and in seconds: its `name`, `value`, `floor` (of as many other reals) and
    `trivial` (of a trivial model). The others are those of `measure_test_split`.
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
                tell(f"no distance to the data: {case.missing_distance}")
            else:
                parts = ("value", "floor", "trivial")
                found["distance"] = {"name": distance.name, **{part: round(getattr(distance, part), 6) for part in parts}}
    if (test := open_test_split(run.recipe, run.data, game, tell)) is not None:
        found |= measure_test_split(game, test)
    elif isinstance(game, Writes) and isinstance(run.held_out, TableDataset):
        found["test_nats_per_symbol"] = validation.nats_per_symbol(game, run.held_out)
    return found
