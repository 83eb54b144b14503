"""Read an upload, in its own process: `python -m ganvas.studio.train.ingest ZIP OUT NAME`; prints a row of JSON."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganvas.data.clip_report import describe_clips
from ganvas.data.report import inspect
from ganvas.data.sanitize_clips import repack_clips
from ganvas.data.sanitize_zip import repack
from ganvas.data.table import Skipped
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
    clips = repack_clips(path, out / "data.zip")
    skipped, warnings = repack(path, out / "data.zip") if clips is None else clips
    lift_limit()  # what is read from here on was written above
    facts = _report_pictures(out, skipped, warnings) if clips is None else _report_clips(out, skipped, warnings)
    facts["source"] = name
    write_durably(out / "report.json", json.dumps(facts).encode())
    return facts


def _report_pictures(out: Path, skipped: Sequence[Skipped], warnings: Sequence[str]) -> dict[str, Any]:
    report = inspect(str(out / "data.zip"))
    sides, paired, wrong = describe_sides(out / "data.zip")
    shown = paired or report
    shown.preview(out / "preview.png")
    facts = {**report.to_dict(), "layout": shown.layout, "sides": sides}
    if paired and paired.pairs and sides["translation"]:
        facts["classes"] = {}  # the folders are sides
    facts["skipped"] = [entry._asdict() for entry in (*skipped, *shown.skipped)]
    few = doubt_count(sides["translation"]["count"] if sides.get("translation") else report.count)
    doubts = (*warnings, *shown.warnings, *filter(None, [f"these are no pairs: {wrong}" if wrong else "", few]))
    facts["warnings"] = list(dict.fromkeys(doubts))
    return facts


def _report_clips(out: Path, skipped: Sequence[Skipped], warnings: Sequence[str]) -> dict[str, Any]:
    """The facts about clips, with those that the report on pictures has. `count` is the number of frames: the samples."""
    report = describe_clips(str(out / "data.zip"))
    report.preview(out / "preview.png")
    facts = {**report.to_dict(), "layout": "clips", "count": report.frames, "images": None, "classes": {}, "sides": {}}
    facts["skipped"] = [entry._asdict() for entry in (*skipped, *report.skipped)]
    facts["warnings"] = [*report.warnings, *warnings, *filter(None, [doubt_count(report.frames)])]
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
