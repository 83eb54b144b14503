"""Trainings, each in its own process: the real command line, so that a crash of either side leaves the other alive.

A running training inherits a lock and holds it. If the lock is free, the process is gone: a server that was started later
sees this too. Pausing is the run's own save-and-stop, so a killed server or a power failure loses nothing.
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
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError, UsageError
from ganvas.games.recipes import own_things, resolve_recipe
from ganvas.studio.commands import quote_code
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import Storage, find_size, list_checkpoints, read_json, read_last_row, read_tail
from ganvas.studio.train.choices import find_device_kind
from ganvas.studio.train.images_used import count_items, has_used_all
from ganvas.studio.train.job_queue import JobQueue, is_locked
from ganvas.studio.train.job_status import Status, describe_live, describe_signal, make_options, read_device_kind
from ganvas.training.initial_weights import read_recipe_of_model
from ganvas.utils.files import disk_errors, write_durably
from ganvas.utils.parsing import printable

RECIPE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
SAVED = "stopped and saved"  # what the command line prints when a signal stopped it
GONE = "the training process ended without a message: it was killed, or the machine stopped"


NOTE = {"words": list, "device": str, "asked": str, "pid": int, "written": int, "logged": int}  # what a note holds


def _has_only_text(value: Any) -> bool:
    return not isinstance(value, list) or all(isinstance(word, str) for word in value)


def make_resume(folder: Path) -> tuple[list[str], str]:
    """The words that continue a run, and the kind of device it continues on: its own, or what this machine has instead."""
    words, kind = ["resume", str(folder), "--json"], read_device_kind(folder)
    try:
        return words, find_device_kind(kind)
    except GanvasError:  # it was begun on another machine
        return [*words, "--device", "auto"], find_device_kind("auto")


class Jobs:
    """Start, pause, resume and stop trainings in a storage."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.queue = JobQueue(storage)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}  # those that this server started

    def start(
        self,
        recipe: str,
        *,
        settings: Mapping[str, str],
        data: str | None = None,
        from_run: str = "",
        images: int | None = None,
        minutes: float | None = None,
        seed: int = 0,
        device: str = "auto",
    ) -> str:
        """Start a recipe in a new run folder; returns its id. It waits if its device is in use.

        `data` is a source or a known path. It begins with the weights of `from_run`, a run or a model
        that comes with ganvas, and with its recipe if `recipe` is "".

        Raises:
            DataError: `from_run` has no model.
            UsageError: no such recipe, setting, value or device, no data, or too many trainings wait already.
            ResourceError: the disk refused, or this machine has no such device.
        """
        model = self.storage.find_model(from_run) if from_run else None
        if not RECIPE.fullmatch(recipe) and (recipe or model is None):
            raise UsageError(f"no such recipe: {printable(recipe, 60)!r}")
        words = ["train", *filter(None, [recipe]), *(["--from", str(model)] if model else [])]
        words += ["--seed", str(seed), "--device", device, "--json", *make_options(settings)]
        own = read_recipe_of_model(model, bool(data)) if model and not recipe else recipe
        chosen = resolve_recipe(own, settings, data=data, images=images, minutes=minutes, seed=seed)
        if not chosen.data.source:
            things = own_things(chosen)
            raise UsageError(f"{recipe} trains on your own {things}, and none were chosen; drop a folder or a zip of them")
        kind = find_device_kind(device)
        words += ["--data", data] if data else []
        words += ["--images", str(images)] if images else []
        words += ["--minutes", f"{minutes:g}"] if minutes else []
        self.queue.require_room()
        folder = self.storage.reserve_run(f"{recipe or chosen.game}-seed{seed}")
        self._submit(folder.name, [*words, "--out", str(folder)], kind)
        return folder.name

    def adopt(self, name: str) -> None:
        """Start the training of a run folder that exists already, such as a branch."""
        self.queue.require_room()
        folder = self.storage.find_run(name)
        self._submit(name, *make_resume(folder))

    def resume(self, name: str) -> None:
        """Continue a training that was paused, stopped or killed.

        Raises:
            UsageError: there is nothing to continue.
        """
        folder, status = self.storage.find_run(name), self.get_status(name)
        if status.live or status.state == "waiting":
            raise UsageError(f"{name} is being trained: {status.words}")
        if status.state == "finished":
            raise UsageError(f"{name} is finished; branch from it to train on")
        note = self._read_note(name)
        self.queue.require_room()
        if (folder / "recipe.json").exists():
            self._submit(name, *make_resume(folder))
        else:  # it never began
            self._submit(name, note.get("words", []), note.get("device", "cpu"))

    def pause(self, name: str) -> None:
        """Make a training save and end, to be resumed. Raises: UsageError: it does not run, or was not started here."""
        self._ask(name, "pause")

    def stop(self, name: str) -> None:
        """Make a training save and end, with the model as it is now; one that waits, leaves the queue.

        Raises:
            UsageError: as `pause`.
        """
        self.storage.find_run(name)
        with self.queue.lock():
            waits = self.queue.remove(name)
        if waits:
            self._write_note(name, **{**self._read_note(name), "asked": "stop"})
        else:
            self._ask(name, "stop")

    def remove(self, name: str) -> None:
        """Delete a run that is not being trained: its folder and the studio's notes about it.

        Raises:
            UsageError: it is being trained.
            UnknownIdError: there is no such run.
            ResourceError: the disk refused.
        """
        folder, status = self.storage.find_run(name), self.get_status(name)
        if status.live:
            raise UsageError(f"{name} is being trained: {status.words}; stop it first")
        with self.queue.lock():
            self.queue.remove(name)
        with disk_errors(f"cannot remove {name}"):
            if folder.exists():
                shutil.rmtree(folder)
            for file in ("out", "err", "alive", "job.json"):
                self.storage.find_note(name, file).unlink(missing_ok=True)
        self.processes.pop(name, None)

    # Status ------------------------------------------------------------------------------------------------------------

    def get_status(self, name: str) -> Status:
        """How the training of a run stands."""
        folder, note = self.storage.find_run(name), self._read_note(name)
        asked = note.get("asked", "")
        if self.is_alive(name):
            used_all = has_used_all(folder, self.count_items(name, live=True))
            return describe_live(asked, self.has_begun(name), used_all)
        if is_locked(folder / "lock"):
            if has_used_all(folder, self.count_items(name, live=True)):
                return Status("measuring", "every image was used; another program measures the finished model")
            return Status("running", "trained by another program, which alone can pause it")
        if name in self.queue.read():
            return Status("waiting", "waits for the training before it to end, so that each has the whole processor")
        if (folder / "result.json").exists():
            return Status("finished", "every image was used")
        return (
            self._explain_end(name, folder, asked) if note else Status("interrupted", self._say_resume(folder, "not finished"))
        )

    def _explain_end(self, name: str, folder: Path, asked: str) -> Status:
        """Why a process that is gone has ended."""
        lines = read_tail(self.storage.find_note(name, "err"))[-8:]
        if errors := [line for line in lines if line.startswith("ganvas: ")]:
            return Status("failed", quote_code(printable(errors[-1].removeprefix("ganvas: "), 600)))
        if any(SAVED in line for line in lines):
            return Status("stopped" if asked == "stop" else "paused", "saved; resume continues bit for bit")
        if asked:
            words = self._say_resume(folder, "it ended before it could save")
            return Status("stopped" if asked == "stop" else "paused", words)
        process = self.processes.get(name)
        code = process.poll() if process else None
        how = GONE if code is None or code >= 0 else f"the training process was ended by {describe_signal(-code)}"
        return Status("interrupted", self._say_resume(folder, how))

    def _say_resume(self, folder: Path, how: str) -> str:
        checkpoints = list_checkpoints(folder)
        unit = describe_kind(read_json(folder / "recipe.json"))["unit"]
        place = f"from {checkpoints[-1]:,} {unit}, its newest checkpoint" if checkpoints else "from the start"
        return f"{how}; resume continues {place}"

    def read_row(self, name: str) -> dict[str, Any]:
        """The newest row that a run has printed since it was last started here; {} before the first."""
        return read_last_row(self.storage.find_note(name, "out"), since=self._read_note(name).get("written", 0))

    def has_begun(self, name: str) -> bool:
        """Whether the process that was started here trains: it has printed a row, or changed the log.

        It prints its first row after the first step, which may also be the last one.
        """
        note = self._read_note(name)
        printed, logged = find_size(self.storage.find_note(name, "out")), find_size(self.storage.find_run(name) / "log.jsonl")
        return bool(printed > note.get("written", 0) or logged != note.get("logged", logged))

    def count_items(self, name: str, live: bool) -> int:
        """How many images a run without a result has used; `live`: it is being trained, perhaps by another program."""
        row: dict[str, Any] | None = None
        if self.is_alive(name):
            row = self.read_row(name) or (None if self.has_begun(name) else {})
        return count_items(self.storage.find_run(name), live, row)

    def is_alive(self, name: str) -> bool:
        """Whether the process that was started here runs."""
        if (process := self.processes.get(name)) is not None:
            process.poll()  # else a process that ended would stay as a zombie
        return is_locked(self.storage.find_note(name, "alive"))

    # Processes ---------------------------------------------------------------------------------------------------------

    def _submit(self, name: str, words: list[str], device: str) -> None:
        """Put a training into the queue, and start what can start. Raises: UsageError: it is being trained."""
        if self.is_alive(name):
            raise UsageError(f"{name} is being trained already")
        self.storage.make_folder("jobs")
        self.storage.find_note(name, "err").unlink(missing_ok=True)  # what it says is about an earlier process
        self._write_note(name, words=words, device=device, asked="")
        with self.queue.lock():
            self.queue.add(name)
        self.start_waiting(name)

    def start_waiting(self, own: str = "") -> None:
        """Start each training in the queue whose device is free. Raises: ResourceError: `own` cannot be started."""
        if not self.queue.read():
            return
        with self.queue.lock():
            busy = {self._read_note(name).get("device", "cpu") for name in self.list_alive()}
            for name in self.queue.read():
                note = self._read_note(name)
                words, device = note.get("words"), note.get("device", "cpu")
                if words and device in busy:
                    continue
                self.queue.remove(name)
                if not words:  # its note was deleted by hand
                    continue
                try:
                    self._launch(name, words, device)
                    busy.add(device)
                except GanvasError:
                    if name == own:
                        raise

    def list_alive(self) -> list[str]:
        """The ids of the trainings that were started here and run now."""
        names = [path.name.removesuffix(".job.json") for path in self.storage.make_folder("jobs").glob("*.job.json")]
        return [name for name in names if self.is_alive(name)]

    def _launch(self, name: str, words: list[str], device: str) -> None:
        """Raises: ResourceError: the process cannot be started; UsageError: it runs."""
        find_note = self.storage.find_note
        with disk_errors(f"cannot start the training of {name}"):
            lock = os.open(find_note(name, "alive"), os.O_CREAT | os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with find_note(name, "out").open("ab") as out, find_note(name, "err").open("wb") as err:
                    written, logged = out.tell(), find_size(self.storage.runs / name / "log.jsonl")  # by earlier processes
                    process = subprocess.Popen(
                        [sys.executable, "-m", "ganvas", *words],
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=err,
                        pass_fds=[lock],  # held for as long as it lives
                        start_new_session=True,  # Ctrl-C in the server's terminal does not reach it
                    )
            except BlockingIOError:
                raise UsageError(f"{name} is being trained already") from None
            finally:
                os.close(lock)
        if (before := self.processes.get(name)) is not None:
            before.wait()  # it has released the lock, so it is about to end
        self.processes[name] = process
        self._write_note(name, words=words, device=device, pid=process.pid, asked="", written=written, logged=logged)

    def _ask(self, name: str, what: str) -> None:
        """Send the signal on which a training saves and ends."""
        self.storage.find_run(name)
        note = self._read_note(name)
        if not self.is_alive(name) or not isinstance(note.get("pid"), int):
            raise UsageError(f"{name} is not being trained by this studio: {self.get_status(name).words}")
        if note.get("asked"):  # a second signal would end it without saving
            raise UsageError(f"{name} is saving already; it ends by itself")
        self._write_note(name, **{**note, "asked": what})
        with suppress(ProcessLookupError):
            os.kill(note["pid"], signal.SIGTERM)

    def _read_note(self, name: str) -> dict[str, Any]:
        """The note about a run that was started here, without what is of another type than it was written."""
        note = read_json(self.storage.find_note(name, "job.json"))
        return {key: value for key, value in note.items() if type(value) is NOTE.get(key) and _has_only_text(value)}

    def _write_note(self, name: str, **note: Any) -> None:
        write_durably(self.storage.find_note(name, "job.json"), json.dumps(note).encode())
