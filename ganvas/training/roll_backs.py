"""The roll-backs of a run: at which numbers of images it went back. Their number decides the learning rate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ganvas.training.log import read_log
from ganvas.utils.files import read_regular, write_durably
from ganvas.utils.parsing import parse_json, printable

NAME = "rollbacks.json"
MOST = 3  # of a run
SIGN = " steps in a row were not finite: back from "  # of the event in the log


def read_roll_backs(folder: Path, tell: Callable[[str], None]) -> list[int]:
    """The numbers of images at which the run in `folder` went back.

    If the file is damaged they are taken from the events in the log, and `tell` gets a message.
    """
    path = folder / NAME
    if not path.exists():
        return []
    try:
        found = parse_json(b'{"at":' + read_regular(path) + b"}", NAME)["at"]
    except Exception as damage:  # whatever it holds, the run can go on
        found, reason = None, printable(damage, 80)
    else:
        reason = "expected a list of a few numbers of images"
    if isinstance(found, list) and len(found) <= MOST + 1 and all(type(at) is int and at >= 0 for at in found):
        return found
    log = folder / "log.jsonl"
    events = [str(row.get("event", "")) for row in (read_log(log) if log.exists() else [])]
    known = [int(text.partition(SIGN)[2].partition(" ")[0].replace(",", "")) for text in events if SIGN in text]
    tell(f"{path.name} is damaged ({reason}); the log knows of {len(known)} roll-backs")
    return known[:MOST]


def write_roll_backs(folder: Path, at: list[int]) -> None:
    """Write them durably. Raises: ResourceError: the disk refused."""
    write_durably(folder / NAME, json.dumps(at).encode())
