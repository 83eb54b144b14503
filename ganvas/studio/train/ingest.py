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
from ganvas.utils.files import write_durably

MAX_MEMORY = 4 << 30  # bytes that a decoder may ask for


def ingest(path: Path, out: Path, name: str) -> dict[str, Any]:
    """Repack the zip at `path` as out/data.zip and report on it: out/report.json, out/preview.png. `name` is for display.

    Raises:
        DataError: it cannot be used.
    """
    skipped, warnings = repack(path, out / "data.zip")
    report = inspect(str(out / "data.zip"))
    report.preview(out / "preview.png")
    facts = {**report.to_dict(), "source": name, "skipped": [entry._asdict() for entry in (*skipped, *report.skipped)]}
    facts["warnings"] = list(dict.fromkeys((*warnings, *report.warnings)))
    write_durably(out / "report.json", json.dumps(facts).encode())
    return facts


def main() -> None:
    """Limit memory, read the upload, print the report."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    path, out, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    run_and_exit(lambda: print(json.dumps(ingest(path, out, name))))


if __name__ == "__main__":
    main()
