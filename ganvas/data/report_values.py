"""The reports of `ganvas data` as plain JSON values."""

from __future__ import annotations

import dataclasses
from typing import Any


def list_values(report: Any) -> dict[str, Any]:
    """The fields of a report (a dataclass with `samples` and `skipped`) by name, without the samples of its preview."""
    plain = dataclasses.asdict(dataclasses.replace(report, samples=()))
    del plain["samples"]
    return plain | {"skipped": [skipped._asdict() for skipped in report.skipped]}
