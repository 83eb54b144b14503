"""What the doctor says about a run, as JSON: `python -m ganvas.studio.train.diagnosis RUN`, in a process of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

from ganvas.runtime.exits import run_and_exit
from ganvas.training.doctor import diagnose, summarize


def describe(folder: str) -> dict[str, Any]:
    """The findings, and a sentence: the distance of the samples beside its floor, and what was not examined.

    Raises:
        DataError: it is no run folder.
    """
    found = diagnose(folder)
    return {"findings": [finding.to_dict() for finding in found], "summary": summarize(found)}


if __name__ == "__main__":
    run_and_exit(lambda: print(json.dumps(describe(sys.argv[1]))))
