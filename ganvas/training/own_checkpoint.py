"""Whether a whole checkpoint is one of this run: a run folder may hold one of another game, copied there by mistake."""

from __future__ import annotations

from ganvas.engine.checkpoint import Checkpoint
from ganvas.engine.state import State, check_fits
from ganvas.errors import DataError


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


def _is_sum(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and type(pair[0]) in (int, float) and type(pair[1]) is int
