"""log.jsonl: one row for every few steps, each the mean over these steps; a resumed run continues it without a seam."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor


class Journal:
    """Writes rows `{"step", "items", <term or note>: mean, ...}`; its unfinished row travels with the checkpoint."""

    def __init__(self, path: Path, every: int = 20, write: bool = True) -> None:
        self.path, self.every, self.write = path, every, write
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, step: int, items: int, values: Mapping[str, Tensor], **facts: Any) -> None:
        """Count one step in; write the row when it is full. A value that is not finite is left out of the mean."""
        for name, value in values.items():
            number = float(value)
            if number - number == 0:
                total, count = self.sums.get(name, (0.0, 0))
                self.sums[name] = (total + number, count + 1)
        if (step + 1) % self.every == 0:
            means = {name: total / count for name, (total, count) in self.sums.items()}
            self.sums = {}
            self.event({"step": step, "items": items, **facts, **means})

    def event(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        if self.write:
            with self.path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")

    def rewind(self, items: int, sums: Mapping[str, Any]) -> None:
        """Forget what was written after `items` images; the unfinished row becomes `sums`."""
        self.sums = {name: (float(total), int(count)) for name, (total, count) in sums.items()}
        if self.write and self.path.exists():
            kept = [row for row in read(self.path) if row.get("items", 0) <= items]
            self.path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a log; a last line cut off by a crash is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows
