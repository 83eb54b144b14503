"""The training log, log.jsonl: a row for every 20 steps with the means over them. A resumed run continues the same file."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.utils.files import read_regular, write_durably

# Names of notes in the logs of earlier versions -> present names.
RENAMED: Mapping[str, str] = {"gradient_critic": "gradient_discriminator", "gradient_artist": "gradient_generator"}

MAX_LOG = 256 << 20  # bytes: about 10 million steps


class TrainingLog:
    """Writes rows `{"step", "items", <term or note>: mean, ...}`. The unfinished row is part of the checkpoint.

    A row that cannot be written is left out, and `tell` gets one message.
    """

    def __init__(self, path: Path, every: int = 20, write: bool = True, tell: Callable[[str], None] = lambda _: None) -> None:
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

    def event(self, row: Mapping[str, Any]) -> None:
        """Append one row, completely or not at all."""
        if not self.write:
            return
        try:
            _append(self.path, (json.dumps(row) + "\n").encode())
            self.refused = False
        except OSError as failure:
            if not self.refused:
                self.tell(f"rows left out of {self.path.name}, training goes on: {failure.strerror}")
            self.refused = True

    def rewind(self, items: int, sums: Mapping[str, Any]) -> None:
        """Delete the rows after `items` images; the unfinished row becomes `sums`.

        Raises:
            ResourceError: the disk refused; the log is as before.
        """
        self.sums = {RENAMED.get(name, name): (float(total), int(count)) for name, (total, count) in sums.items()}
        if self.write and self.path.exists():
            kept = [row for row in read_log(self.path) if row.get("items", 0) <= items]
            text = "".join(json.dumps(row) + "\n" for row in kept).encode()
            if text != self.path.read_bytes():
                write_durably(self.path, text)


def _append(path: Path, line: bytes) -> None:
    """Raises: OSError: nothing was appended. Half a row would make all later rows unreadable."""
    with path.open("ab", buffering=0) as log:
        end = log.seek(0, 2)
        try:
            if log.write(line) < len(line):
                raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            with suppress(OSError):
                log.truncate(end)
            raise


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of a log, with the present names; a last line that a crash cut off is left out.

    Raises:
        DataError: it is larger than `MAX_LOG`, or no regular file. OSError.
    """
    rows = []
    for line in read_regular(path, MAX_LOG).decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict):
            break
        rows.append({RENAMED.get(name, name): value for name, value in row.items()})
    return rows
