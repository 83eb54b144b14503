"""Hostile frames on the socket of /play: understood, or answered by one line; the process of the session lives on."""

from __future__ import annotations

import json
import signal
import time
from random import Random
from typing import Any

import numpy as np

from ganvas.errors import UsageError
from ganvas.studio.play.play_process import COMMANDS, PlayProcess
from ganvas.studio.socket import Frame, decode, encode
from trials.common import Tally, chance
from trials.damage import damage

SECONDS = 20
ODD: tuple[Any, ...] = (None, True, -1, 0, 3, 1e300, -1e300, 2**63, "", "ring", "x" * 1000, [], [1, "a"], {}, {"a": {"b": []}})
NAMES = (
    "settings",
    "setting",
    "name",
    "value",
    "steps",
    "speed",
    "points",
    "history",
    "at",
    "link",
    "preset",
    "seed",
    "slow",
    "on",
)


def run(seeds: range, until: float) -> Tally:
    """One frame for each seed; every fiftieth begins a new session."""
    tally, start = Tally("frames"), time.monotonic()
    sent: list[Frame] = []

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    session = PlayProcess(sent.append)
    for number, seed in enumerate(seeds):
        if time.monotonic() > until:
            break
        random = chance("frames", seed)
        if number % 50 == 0:
            session.handle(Frame("begin", {}, {}))
        data = encode(_make_frame(random))
        if random.random() < 0.4:
            _, data = damage(data, random)
        sent.clear()
        signal.alarm(SECONDS)
        try:
            frame = decode(data)
        except UsageError:
            tally.note("not a frame, told")
        except Exception as bug:
            tally.fail(seed, f"decode: {bug!r}")
        else:
            try:
                session.handle_one(frame)
                tally.note("refused" if any(answer.kind == "error" for answer in sent) else "understood")
            except TimeoutError:
                tally.fail(seed, f"{frame.kind!r}: took longer than {SECONDS} s")
                session = PlayProcess(sent.append)
            except Exception as bug:
                tally.fail(seed, f"{frame.kind!r} {json.dumps(dict(frame.facts), default=str)[:200]}: {bug!r}")
                session = PlayProcess(sent.append)
        finally:
            signal.alarm(0)
        tally.done += 1
    signal.signal(signal.SIGALRM, before)
    tally.seconds = time.monotonic() - start
    return tally


def _make_frame(random: Random) -> Frame:
    """A command with odd facts and arrays."""
    kind = random.choice(COMMANDS) if random.random() < 0.9 else random.choice(("", "x", "ack", "error", "é"))
    facts = {random.choice(NAMES): random.choice(ODD) for _ in range(random.randint(0, 3))}
    arrays: dict[str, Any] = {}
    if random.random() < 0.2:
        rows = random.choice((0, 1, 7, 2_000))
        values = np.array([random.choice((0.0, 1.0, -3.0, 1e30, 1e-30)) for _ in range(2 * rows)], dtype=np.float32)
        arrays["points"] = values.reshape(rows, 2)
    return Frame(kind, facts, arrays)
