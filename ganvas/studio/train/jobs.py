"""Trainings in processes of their own: the real command line, so that a crash of either side leaves the other alive.

A running training holds a lock that it inherits. Whoever finds the lock free knows that the process is gone, also a server
that was started since. Pausing is the run's own save-and-stop, so that a killed server or a pulled plug loses nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.errors import UsageError
from ganvas.files import disk_errors, printable, write_durably
from ganvas.studio.kinds import kind
from ganvas.studio.store import Store, facts, last_row, tail

MOST = 2  # trainings at a time
SETTING = re.compile(r"(train|config|data\.(fit|flip|channels|held_out))[A-Za-z0-9_.]{0,80}")
RECIPE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
SAVED = "stopped and saved"  # what the command line says when a signal stopped it
GONE = "the training process is gone without a word: it was killed, or the machine stopped"


@dataclass(frozen=True)
class Status:
    """How a training stands: starting, running, saving, paused, stopped, interrupted, failed or finished, and in words."""

    state: str
    words: str

    @property
    def live(self) -> bool:
        """Whether a process is at it."""
        return self.state in ("starting", "running", "saving")


class Jobs:
    """Start, pause, resume and stop trainings under a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.processes: dict[str, subprocess.Popen[bytes]] = {}  # those that this server started

    def start(
        self,
        recipe: str,
        *,
        settings: Mapping[str, str],
        data: str | None = None,
        images: int | None = None,
        minutes: float | None = None,
        seed: int = 0,
    ) -> str:
        """Start a recipe in a new run folder; returns its id. `data` is a source or a path that the server knows.

        Raises:
            UsageError: a recipe, a setting or a value that cannot be one, no data, or too many trainings already.
            ResourceError: the disk refused.
        """
        from ganvas.resolve import resolve

        if not RECIPE.fullmatch(recipe):
            raise UsageError(f"no such recipe: {printable(recipe, 60)!r}")
        words = ["train", recipe, "--seed", str(seed), "--json", *options(settings)]
        chosen = resolve(recipe, settings, data=data, images=images, seed=seed)
        if not chosen.data.source:
            raise UsageError(f"{recipe} trains on your own pictures, and none were chosen; drop a folder or a zip of them")
        words += ["--data", data] if data else []
        words += ["--images", str(images)] if images else []
        words += ["--minutes", f"{minutes:g}"] if minutes else []
        self.require_room()
        folder = self.store.reserve(f"{recipe}-seed{seed}")
        self._launch(folder.name, [*words, "--out", str(folder)])
        return folder.name

    def adopt(self, name: str) -> None:
        """Start the training of a run folder that is there already, such as a branch."""
        self.require_room()
        self._launch(name, ["resume", str(self.store.run(name)), "--json"])

    def resume(self, name: str) -> None:
        """Continue a training that was paused, stopped or killed.

        Raises:
            UsageError: there is nothing to continue.
        """
        folder, status = self.store.run(name), self.status(name)
        if status.live:
            raise UsageError(f"{name} is being trained: {status.words}")
        if status.state == "finished":
            raise UsageError(f"{name} is finished; branch from it to train on")
        started: list[str] = facts(self.store.note(name, "job.json")).get("words", [])
        self.require_room()
        again = ["resume", str(folder), "--json"] if (folder / "recipe.json").exists() else started
        self._launch(name, again)

    def pause(self, name: str) -> None:
        """Have a training save and end, to be resumed. Raises: UsageError: it does not run, or was not started here."""
        self._ask(name, "pause")

    def stop(self, name: str) -> None:
        """Have a training save and end, with the model as it is now. Raises: UsageError: as `pause`."""
        self._ask(name, "stop")

    def remove(self, name: str) -> None:
        """Delete a run that is not being trained, its folder and what is known of it.

        Raises:
            UsageError: it is being trained.
            UnknownIdError: there is none.
            ResourceError: the disk refused.
        """
        folder, status = self.store.run(name), self.status(name)
        if status.live:
            raise UsageError(f"{name} is being trained: {status.words}; stop it first")
        with disk_errors(f"cannot remove {name}"):
            if folder.exists():
                shutil.rmtree(folder)
            for file in ("out", "err", "alive", "job.json"):
                self.store.note(name, file).unlink(missing_ok=True)
        self.processes.pop(name, None)

    def status(self, name: str) -> Status:
        """How the training of a run stands."""
        folder, note = self.store.run(name), facts(self.store.note(name, "job.json"))
        asked = note.get("asked", "")
        if self.alive(name):
            if asked:
                return Status("saving", "saving, then it stops")
            out = self.store.note(name, "out")
            begun = out.exists() and out.stat().st_size > note.get("written", 0)
            return Status("running", "training") if begun else Status("starting", "getting ready: timing the machine")
        if locked(folder / "lock"):
            return Status("running", "trained by another program; it can be paused only there")
        if (folder / "result.json").exists():
            return Status("finished", "every image was shown")
        return self._ending(name, folder, asked) if note else Status("interrupted", self._way_back(folder, "not finished"))

    def _ending(self, name: str, folder: Path, asked: str) -> Status:
        """Why a process that is gone has ended."""
        lines = tail(self.store.note(name, "err"))[-8:]
        if told := [line for line in lines if line.startswith("ganvas: ")]:
            return Status("failed", printable(told[-1].removeprefix("ganvas: "), 600))
        if any(SAVED in line for line in lines):
            return Status("stopped" if asked == "stop" else "paused", "saved; resume continues bit for bit")
        if asked:
            words = self._way_back(folder, "it ended before it could save")
            return Status("stopped" if asked == "stop" else "paused", words)
        process = self.processes.get(name)
        code = process.poll() if process else None
        how = GONE if code is None or code >= 0 else f"the training process was ended by {signal_name(-code)}"
        return Status("interrupted", self._way_back(folder, how))

    def _way_back(self, folder: Path, how: str) -> str:
        found = checkpoints(folder)
        unit = kind(facts(folder / "recipe.json"))["unit"]
        place = f"from {found[-1]:,} {unit}, its newest checkpoint" if found else "from the start"
        return f"{how}; resume continues {place}"

    def row(self, name: str) -> dict[str, Any]:
        """The newest row that a run has printed since it was last started here; {} before the first."""
        return last_row(self.store.note(name, "out"), since=facts(self.store.note(name, "job.json")).get("written", 0))

    def alive(self, name: str) -> bool:
        """Whether the process that was started here runs."""
        if (process := self.processes.get(name)) is not None:
            process.poll()  # a dead child is buried
        return locked(self.store.note(name, "alive"))

    def require_room(self) -> None:
        """Raises: UsageError: as many trainings run as there may."""
        names = [path.name.removesuffix(".job.json") for path in self.store.folder("jobs").glob("*.job.json")]
        if len(running := [name for name in names if self.alive(name)]) >= MOST:
            raise UsageError(f"{len(running)} trainings are running ({', '.join(running)}); pause or stop one first")

    def _launch(self, name: str, words: list[str]) -> None:
        """Raises: ResourceError: the process cannot be started; UsageError: it runs."""
        self.store.folder("jobs")
        note = self.store.note
        with disk_errors(f"cannot start the training of {name}"):
            lock = os.open(note(name, "alive"), os.O_CREAT | os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with note(name, "out").open("ab") as out, note(name, "err").open("wb") as err:
                    written = out.tell()  # by earlier sittings
                    process = subprocess.Popen(
                        [sys.executable, "-m", "ganvas", *words],
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=err,
                        pass_fds=[lock],  # held for as long as it lives
                        start_new_session=True,  # Ctrl-C in the server's terminal is not for it
                    )
            except BlockingIOError:
                raise UsageError(f"{name} is being trained already") from None
            finally:
                os.close(lock)
        if (before := self.processes.get(name)) is not None:
            before.wait()  # it let go of the lock, so that it is about to end
        self.processes[name] = process
        self._keep(name, words=words, pid=process.pid, asked="", written=written)

    def _ask(self, name: str, what: str) -> None:
        self.store.run(name)
        note = facts(self.store.note(name, "job.json"))
        if not self.alive(name) or not isinstance(note.get("pid"), int):
            raise UsageError(f"{name} is not being trained by this studio: {self.status(name).words}")
        if note.get("asked"):  # a second signal would end it without saving
            raise UsageError(f"{name} is saving already; it ends by itself")
        self._keep(name, **{**note, "asked": what})
        with suppress(ProcessLookupError):
            os.kill(note["pid"], signal.SIGTERM)

    def _keep(self, name: str, **note: Any) -> None:
        write_durably(self.store.note(name, "job.json"), json.dumps(note).encode())


def locked(path: Path) -> bool:
    """Whether a living process holds the lock in the file."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def checkpoints(folder: Path) -> list[int]:
    """The image counts of a run's checkpoints, in order."""
    with suppress(OSError):
        return sorted(int(path.name) for path in (folder / "checkpoints").iterdir() if re.fullmatch(r"\d{9,18}", path.name))
    return []


def options(settings: Mapping[str, str]) -> list[str]:
    """Settings as words of the command line. Raises: UsageError: one that a page may not change, such as a path."""
    words = []
    for name, value in settings.items():
        if not SETTING.fullmatch(name):
            raise UsageError(f"{printable(name, 80)!r} cannot be set here; expected train..., config... or data.fit")
        words += ["--set", f"{name}={value}"]
    return words


def signal_name(number: int) -> str:
    """SIGKILL and the like, with what it usually means."""
    meaning = {signal.SIGKILL: " (killed: by hand, or memory ran out)", signal.SIGSEGV: " (it crashed)"}
    try:
        return signal.Signals(number).name + meaning.get(signal.Signals(number), "")
    except ValueError:
        return f"signal {number}"
