"""Whether a whole checkpoint is one of this run: a run folder may hold one of another game, copied there by mistake."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ganvas.engine.checkpoint import Checkpoint
from ganvas.engine.state import State, check_fits
from ganvas.errors import DataError
from ganvas.utils.files import read_json
from ganvas.utils.parsing import is_number, printable, quote

BRANCH = "branch.json"  # of a branch: from which run and where it branched


def check_own(state: State, found: Checkpoint) -> None:
    """Check that a run with this state can continue from the checkpoint.

    Raises:
        DataError: it cannot: other networks, or odd numbers in its meta.json.
    """
    check_fits(state, found.tensors, found.meta.get("state"))
    if found.meta["state"]["items"] != found.items:
        raise DataError("its number of images is not that of its name")
    seconds, sums = found.meta.get("seconds"), found.meta.get("journal")
    if type(seconds) not in (int, float):
        raise DataError("its seconds are no number")
    if not isinstance(sums, dict) or not all(_is_sum(pair) for pair in sums.values()):
        raise DataError("its unfinished row of the log is damaged")


def require_own_start(folder: Path) -> None:
    """Check that the run in `folder`, none of whose checkpoints can be used, may start at 0 images.

    Raises:
        DataError: it is a branch. It has no start of its own: it would train new networks, and look like the other run's.
    """
    if not (folder / BRANCH).exists():
        return
    parent, at = "RUN", "IMAGES"
    with suppress(DataError, OSError):  # damaged: the advice stays general
        found = read_json(folder / BRANCH)
        if isinstance(found.get("parent"), str):
            parent = quote(folder.parent / found["parent"])
        if is_number(found.get("items")):
            at = str(found["items"])
    raise DataError(
        f"{printable(folder)} is a branch and none of its checkpoints can be used, so it has no weights to continue with; "
        f"branch again: ganvas branch {parent} --at {at} --out NEW, with the same --set"
    )


def _is_sum(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and type(pair[0]) in (int, float) and type(pair[1]) is int
