"""Take an upload in, in a process of its own: `python -m ganvas.studio.train.intake ZIP OUT NAME`; prints a row of JSON."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from ganvas.data.repack import repack
from ganvas.data.report import inspect
from ganvas.ending import conclude
from ganvas.files import write_durably

MEMORY = 4 << 30  # bytes of data that a decoder may ask for


def intake(path: Path, out: Path, name: str) -> dict[str, Any]:
    """Repack the zip at `path` as out/data.zip and look at it: out/report.json, out/preview.png. `name` is only shown.

    Raises:
        DataError: it cannot be used.
    """
    skipped = repack(path, out / "data.zip")
    report = inspect(str(out / "data.zip"))
    report.preview(out / "preview.png")
    told = {**report.to_dict(), "source": name, "skipped": [entry._asdict() for entry in (*skipped, *report.skipped)]}
    write_durably(out / "report.json", json.dumps(told).encode())
    return told


def main() -> None:
    """Limit memory, take in, tell."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    path, out, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    conclude(lambda: print(json.dumps(intake(path, out, name))))


if __name__ == "__main__":
    main()
