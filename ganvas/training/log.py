"""The training log, log.jsonl: a row for every 20 steps with the means over them. A resumed run continues the same file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.errors import DataError
from ganvas.utils.files import append as _append
from ganvas.utils.files import read_regular, sync_file, write_durably
from ganvas.utils.parsing import parse_json, printable

# Names of notes in the logs of earlier versions -> present names.
RENAMED: Mapping[str, str] = {"gradient_critic": "gradient_discriminator", "gradient_artist": "gradient_generator"}

EVERY = 20  # steps in a row
MAX_LOG = 256 << 20  # bytes: about 10 million steps


class TrainingLog:
    """Writes rows `{"step", "items", <term or note>: mean, ...}`. The unfinished row is part of the checkpoint.

    A row that cannot be written is left out, and `tell` gets one message.
    """

    def __init__(
        self, path: Path, every: int = EVERY, write: bool = True, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.path, self.every, self.write, self.tell, self.refused = path, every, write, tell, False
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, step: int, items: int, values: Mapping[str, float], last: bool = False, **facts: Any) -> None:
        """Add one step; write the row when it is complete or `last`. Values that are not finite are left out of the means.

        A lazy term comes divided by its k (`Step.lazy`), so that its mean over the moves with the term is the mean over all.
        """
        for name, value in values.items():
            if math.isfinite(value):
                total, count = self.sums.get(name, (0.0, 0))
                self.sums[name] = (total + value, count + 1)
        if last or (step + 1) % self.every == 0:
            means = {name: total / count for name, (total, count) in self.sums.items()}
            self.sums = {}
            self.event({"step": step, "items": items, **facts, **means})

    def event(self, row: Mapping[str, Any], once: bool = False) -> None:
        """Append one row, completely or not at all; `once`: unless the log has it already, from before an interruption."""
        if not self.write:
            return
        if once and self.path.exists() and dict(row) in read_log(self.path):
            return
        try:
            _append(self.path, (json.dumps(row) + "\n").encode())
            self.refused = False
        except OSError as failure:
            if not self.refused:
                self.tell(f"rows left out of {self.path.name}, training goes on: {failure.strerror}")
            self.refused = True

    def sync(self) -> None:
        """Make all rows durable: a checkpoint must not be newer than the log, or rows would be missing after a power cut."""
        if self.write and self.path.exists():
            with suppress(OSError):
                sync_file(self.path)

    def rewind(self, items: int, sums: Mapping[str, Any]) -> None:
        """Delete the rows after `items` images; the unfinished row becomes `sums`.

        Raises:
            ResourceError: the disk refused; the log is as before.
        """
        self.sums = {RENAMED.get(name, name): (float(total), int(count)) for name, (total, count) in sums.items()}
        if self.write and self.path.exists():
            try:
                before = read_regular(self.path, MAX_LOG)
            except (DataError, OSError) as failure:  # such as a log of another user
                self.tell(f"{describe_failure(failure, self.path)}; it stays as it is")
                return
            kept = [row for row in read_log(self.path, self.tell) if row.get("items", 0) <= items]
            text = "".join(json.dumps(row) + "\n" for row in kept).encode()
            if text != before:
                write_durably(self.path, text)


def read_log(path: Path, tell: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """The rows of a log, with the present names. Damaged rows are left out, and `tell` gets their number.

    A last line that a crash cut off is no damage: it is left out without a message.
    """
    try:
        lines = read_regular(path, MAX_LOG).decode("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        raise
    except (DataError, OSError) as failure:
        tell(f"{describe_failure(failure, path)}; it is not read")
        return []
    rows = [_read_row(line) for line in lines if line.strip()]
    if damaged := sum(row is None for row in rows[: None if lines[-1] == "" else -1]):
        tell(f"{damaged} damaged row{'s' if damaged > 1 else ''} of {path.name} left out")
    return [row for row in rows if row is not None]


def describe_failure(failure: DataError | OSError, path: Path) -> str:
    """Why a file cannot be read, without Python's numbers of errors."""
    return f"{printable(path)}: {failure.strerror}" if isinstance(failure, OSError) else str(failure)


def _read_row(line: str) -> dict[str, Any] | None:
    """A row: images and steps are counts, an event is text, everything else a number. None: it is something else."""
    try:
        row = parse_json(line, "a row")
    except DataError:
        return None
    for name, value in row.items():
        if name in ("items", "step"):
            good = type(value) is int and value >= 0
        else:
            good = isinstance(value, str) if name == "event" else type(value) in (int, float)
        if not good:
            return None
    return {RENAMED.get(name, name): value for name, value in row.items()}
