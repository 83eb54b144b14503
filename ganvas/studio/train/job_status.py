"""How a training can stand, what a person can do with it then, and which settings a page may change."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganvas.errors import UsageError
from ganvas.studio.storage import read_json
from ganvas.utils.parsing import printable

SETTING = re.compile(r"(train|config|data\.(fit|flip|channels|held_out))[A-Za-z0-9_.]{0,80}")
STATES = {  # -> how the page calls it
    "waiting": "waiting",
    "starting": "getting ready",
    "running": "training",
    "measuring": "measuring",
    "saving": "saving",
    "paused": "paused",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "failed": "failed",
    "finished": "finished",
    "damaged": "damaged",
}
LIVE_STATES = ("starting", "running", "measuring", "saving")  # those in which a process is at work


@dataclass(frozen=True)
class Status:
    """How a training stands: one of STATES, and the same in words."""

    state: str
    words: str

    @property
    def live(self) -> bool:
        """Whether a process is at work."""
        return self.state in LIVE_STATES


def describe_live(asked: str, begun: bool, used_all: bool) -> Status:
    """How a training stands whose process was started here and is at work; `asked`: what it was asked for, or ""."""
    if asked:
        return Status("saving", "saving, then it stops")
    if used_all:
        return Status("measuring", "every image was used; measuring the finished model")
    return Status("running", "training") if begun else Status("starting", "getting ready: timing the machine")


def list_actions(state: str, checkpoints: list[int]) -> list[str]:
    """What a person can do with a run: stop, pause, resume, remove."""
    actions = {"waiting": ["stop"], "starting": ["stop"], "running": ["pause", "stop"]}.get(state, [])
    if state in ("paused", "stopped", "interrupted") or (state == "failed" and checkpoints):
        actions = ["resume"]
    return actions if state in LIVE_STATES else [*actions, "remove"]


def read_device_kind(folder: Path) -> str:
    """The kind of device that a run was begun on: cpu, cuda, ..."""
    plan = read_json(folder / "env.json").get("plan", {})
    device = plan.get("device", "cpu") if isinstance(plan, dict) else "cpu"
    return str(device).partition(":")[0]


def make_options(settings: Mapping[str, str]) -> list[str]:
    """Settings as words of the command line. Raises: UsageError: one that a page may not change, such as a path."""
    words = []
    for name, value in settings.items():
        if not SETTING.fullmatch(name):
            raise UsageError(f"{printable(name, 80)!r} cannot be set here; expected train..., config... or data.fit")
        words += ["--set", f"{name}={value}"]
    return words


def describe_signal(number: int) -> str:
    """The name of a signal, with its usual cause."""
    meaning = {signal.SIGKILL: " (killed: by a person, or memory ran out)", signal.SIGSEGV: " (it crashed)"}
    try:
        return signal.Signals(number).name + meaning.get(signal.Signals(number), "")
    except ValueError:
        return f"signal {number}"
