"""Read an upload, in its own process: `python -m ganvas.studio.train.ingest ZIP OUT NAME`; prints a row of JSON."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from ganvas.data.report import inspect
from ganvas.data.sanitize_zip import repack
from ganvas.runtime.exits import run_and_exit
from ganvas.studio.train.upload_sides import describe_sides
from ganvas.training.run_data import doubt_count
from ganvas.utils.files import write_durably

MAX_MEMORY = 4 << 30  # bytes that a decoder may ask for


def ingest(path: Path, out: Path, name: str) -> dict[str, Any]:
    """Repack the zip at `path` as out/data.zip and report on it: out/report.json, out/preview.png. `name` is for display.

    Raises:
        DataError: it cannot be used.
    """
    skipped, warnings = repack(path, out / "data.zip")
    lift_limit()  # what is read from here on was written above
    report = inspect(str(out / "data.zip"))
    sides, paired, wrong = describe_sides(out / "data.zip")
    shown = paired or report
    shown.preview(out / "preview.png")
    facts = {**report.to_dict(), "source": name, "layout": shown.layout, "sides": sides}
    if paired and paired.pairs and sides["translation"]:
        facts["classes"] = {}  # the folders are sides
    facts["skipped"] = [entry._asdict() for entry in (*skipped, *shown.skipped)]
    few = doubt_count(sides["translation"]["count"] if sides.get("translation") else report.count)
    doubts = (*warnings, *shown.warnings, *filter(None, [f"these are no pairs: {wrong}" if wrong else "", few]))
    facts["warnings"] = list(dict.fromkeys(doubts))
    write_durably(out / "report.json", json.dumps(facts).encode())
    return facts


def limit_memory() -> None:
    """Limit what a decoder of foreign files may ask for."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def lift_limit() -> None:
    """Undo `limit_memory`: a table of pictures that is mapped from the disk counts, too."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def main() -> None:
    """Limit memory, read the upload, print the report."""
    limit_memory()
    path, out, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    run_and_exit(lambda: print(json.dumps(ingest(path, out, name))))


if __name__ == "__main__":
    main()
