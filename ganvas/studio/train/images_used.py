"""How many images a run uses, and how many of them it has used: from its files, and from what its process has printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.studio.run_damage import find_damage
from ganvas.studio.storage import list_checkpoints, read_count, read_json, read_last_row, read_part


def read_files(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """recipe.json, result.json and branch.json of a run; {} for each if one of them is damaged."""
    if find_damage(folder):
        return {}, {}, {}
    recipe, result, branch = (read_json(folder / f"{name}.json") for name in ("recipe", "result", "branch"))
    return recipe, result, branch


def count_total(train: Mapping[str, Any], since: int = 0) -> int:
    """How many images a run that began at `since` will use: it ends with a whole batch. 0: not known yet."""
    images, batch = train.get("images", 0), train.get("batch", 1)
    return since + -(-max(0, images - since) // batch) * batch if images else 0


def count_items(folder: Path, live: bool, row: Mapping[str, Any] | None) -> int:
    """How many images a run without a result has used; while it rests, the number from which a resume continues.

    `row` is what its process printed last; {} while it gets ready and the log still has what is done again; None if the
    process is not this studio's.
    """
    checkpoints = list_checkpoints(folder)
    written = read_count(read_last_row(folder / "log.jsonl"))
    printed = read_count(row) if row else 0
    if live and row != {}:
        return max(*checkpoints, written, printed)
    return checkpoints[-1] if checkpoints else written


def has_used_all(folder: Path, items: int) -> bool:
    """Whether `items` are all the images of a run."""
    recipe, _, branch = read_files(folder)
    return 0 < count_total(read_part(recipe, "train"), read_count(branch)) <= items
