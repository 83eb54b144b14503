"""How long a recipe takes on this machine: from its finished runs here, or from a timing of a few seconds.

`python -m ganvas.studio.train.pace RECIPE` times real steps and prints a row of JSON. A timing of one recipe also gives an
estimate of the others: their minutes on the reference machine, times the ratio of the two machines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from ganvas.config import Recipe
from ganvas.engine.autotune import choose_plan, images_in_minutes
from ganvas.games import RECIPES
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.runtime.device import available_cores, processor_name
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.exits import run_and_exit
from ganvas.runtime.process_settings import apply_plan
from ganvas.studio.storage import Storage, read_count, read_json, read_part
from ganvas.utils.files import write_durably
from ganvas.utils.settings import to_dict

MODULE = "ganvas.studio.train.pace"
FILE = "pace.json"  # the timings, among the studio's own files
FROM_DATA = ("channels", "classes", "point")  # settings of a model that its data decide, and that hardly change its pace
# Steps of a run that tells the pace: most of the time of a shorter one is the start and the sheets.
LEAST_STEPS = 200
MAX_RUNS = 60  # the newest, in which finished ones are looked for


def describe_machine() -> str:
    """What a timing depends on, in one line."""
    return f"{processor_name()}, {len(available_cores())} cores"


def read_paces(storage: Storage) -> dict[str, float]:
    """Recipe -> items a second on this machine, as timed; a finished run of it counts more."""
    kept = read_json(storage.private / FILE)
    timed = read_part(kept, "paces") if kept.get("machine") == describe_machine() else {}
    paces = {name: float(pace) for name, pace in timed.items() if type(pace) in (int, float) and pace > 0}
    for name in reversed(storage.list_runs()[:MAX_RUNS]):  # the newest last, which then counts
        paces |= read_pace(storage.runs / name)
    return {name: pace for name, pace in paces.items() if name in RECIPES}


def read_pace(folder: Path) -> dict[str, float]:
    """{recipe: items a second} of a finished run of an unchanged recipe on this machine; {} of another run.

    A run of other sizes does not count: at 128 pixels a step takes longer than at 64. Nor does a short one.
    """
    result, recipe, env = (read_json(folder / f"{name}.json") for name in ("result", "recipe", "env"))
    name, pace, machine = recipe.get("name"), result.get("images_per_second"), read_part(env, "machine")
    here = f"{machine.get('processor')}, {machine.get('cores')} cores" == describe_machine()
    if not here or not isinstance(name, str) or name not in RECIPES or not isinstance(pace, int | float) or pace <= 0:
        return {}
    train = RECIPES[name].train
    if read_count(result) < min(LEAST_STEPS * train.batch, train.images):  # the recipe itself may have fewer steps
        return {}
    return {name: float(pace)} if _describe_work(recipe) == _describe_work(to_dict(RECIPES[name])) else {}


def _describe_work(recipe: Mapping[str, Any]) -> tuple[dict[str, Any], object]:
    """What the time for one item depends on: the networks and their sizes; the batch."""
    config = {key: value for key, value in read_part(recipe, "config").items() if key not in FROM_DATA}
    return config, read_part(recipe, "train").get("batch")


def estimate_seconds(recipe: Recipe, paces: Mapping[str, float]) -> float | None:
    """Seconds for a whole run of the recipe on this machine; None: nothing was timed here yet."""
    if recipe.name in paces:
        return recipe.train.images / paces[recipe.name]
    if not paces:
        return None
    return 60 * recipe.minutes * median(_compare_machines(RECIPES[name], pace) for name, pace in paces.items())


def _compare_machines(recipe: Recipe, pace: float) -> float:
    """How many times as long as on the reference machine the recipe takes here."""
    return recipe.train.images / pace / (60 * recipe.minutes)


def write_pace(storage: Storage, name: str, pace: float) -> None:
    """Keep a timing. Raises: ResourceError: the disk refused."""
    path = storage.make_folder() / FILE
    kept = read_json(path)
    paces = read_part(kept, "paces") if kept.get("machine") == describe_machine() else {}
    write_durably(path, json.dumps({"machine": describe_machine(), "paces": {**paces, name: pace}}).encode())


def time_recipe(name: str) -> dict[str, Any]:
    """{"pace": items a second}, of real steps. Raises: GanvasError: the recipe has no data, or they cannot be read."""
    recipe = resolve_recipe(name, {})
    data = open_data(recipe)
    recipe = adapt_recipe(recipe, data)
    plan = choose_plan(recipe, data)
    apply_plan(plan, 0)
    _, pace = images_in_minutes(recipe, data, plan, Ranks(), 1.0)
    return {"pace": pace}


if __name__ == "__main__":
    run_and_exit(lambda: print(json.dumps(time_recipe(sys.argv[1]))))
