"""Power cuts: what was not fsynced may be lost, cut off or zeroed, and names may reach the disk in another order.

A whole training is recorded once, operation by operation. A trial cuts it at a random operation and builds a folder that the
disk may hold then: data that was fsynced, and names whose folder was fsynced, are there; everything else is there or not.
"""

from __future__ import annotations

import importlib
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ganvas.engine import checkpoint
from ganvas.errors import DataError
from ganvas.inference import model_file
from ganvas.training.log import read_log
from ganvas.training.run_folder import read_run
from trials.common import Tally, begin, chance, differences, everything, finish, miniatures, recipes, workplace

RESUMED = 100  # one state in so many is also trained to its end


@dataclass
class Node:
    """A file or a folder of the recorded disk."""

    folder: bool
    data: bytearray = field(default_factory=bytearray)
    names: list[tuple[int, dict[str, Node | None]]] = field(default_factory=list)  # (time, changes: None removes a name)
    writes: list[tuple[int, int]] = field(default_factory=list)  # (time, length after it)
    syncs: list[int] = field(default_factory=list)


class Recorder:
    """`os` for `ganvas.utils.files`: does everything, and records it for a second disk."""

    def __init__(self, root: Path) -> None:
        self.root, self.top, self.clock = root, Node(True), 0
        self.open_files: dict[int, Node] = {}
        self.by_path: dict[Path, Node] = {root: self.top}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def link(self, path: Path, node: Node | None, also: dict[str, Node | None] | None = None) -> None:
        parent = self.by_path.get(path.parent)
        if parent is not None:
            parent.names.append((self.tick(), {**(also or {}), path.name: node}))

    def open(self, path: Any, flags: int, *mode: int) -> int:
        path = Path(path)
        new = not path.exists()
        found = os.open(path, flags, *mode)
        if new and path.parent in self.by_path:
            self.by_path[path] = Node(False)
            self.link(path, self.by_path[path])
        if path in self.by_path:
            self.open_files[found] = self.by_path[path]
        return found

    def write(self, file: int, data: Any) -> int:
        count = os.write(file, data)
        if node := self.open_files.get(file):
            node.data += bytes(data[:count])
            node.writes.append((self.tick(), len(node.data)))
        return count

    def fsync(self, file: int) -> None:
        if node := self.open_files.get(file):
            node.syncs.append(self.tick())

    def close(self, file: int) -> None:
        self.open_files.pop(file, None)
        os.close(file)

    def mkdir(self, path: Any, *mode: int) -> None:
        os.mkdir(path, *mode)
        path = Path(path)
        if path.parent in self.by_path:
            self.by_path[path] = Node(True)
            self.link(path, self.by_path[path])

    def replace(self, old: Any, new: Any) -> None:
        os.replace(old, new)
        old, new = Path(old), Path(new)
        if old in self.by_path:
            for path in [path for path in self.by_path if path == old or old in path.parents]:
                self.by_path[new / path.relative_to(old)] = self.by_path.pop(path)
            self.link(new, self.by_path[new], {old.name: None})

    def unlink(self, path: Any) -> None:
        os.unlink(path)
        if self.by_path.pop(Path(path), None):
            self.link(Path(path), None)

    def rmdir(self, path: Any) -> None:
        os.rmdir(path)
        if self.by_path.pop(Path(path), None):
            self.link(Path(path), None)


def run(seeds: range, until: float) -> Tally:
    """One cut for each seed."""
    tally, start = Tally("power"), time.monotonic()
    files = importlib.import_module("ganvas.utils.files")
    with workplace() as place, miniatures() as module:
        recipe, whole = recipes(module)["ring"], place / "whole"
        whole.mkdir()
        recorder, patch, saved = Recorder(whole), pytest.MonkeyPatch(), list[tuple[int, int]]()
        save = checkpoint.save

        def save_and_note(folder: Path, items: int, *rest: Any) -> Path:
            path = save(folder, items, *rest)
            saved.append((recorder.clock, items))
            return path

        patch.setattr(files, "os", recorder)
        patch.setattr(checkpoint, "save", save_and_note)
        try:
            begin(recipe, whole)
            begun = recorder.clock
            finish(whole)
        finally:
            patch.undo()
        expected, rows = everything(whole), read_log(whole / "log.jsonl")
        states = {}
        for path in (whole / "checkpoints").iterdir():
            found = checkpoint.load(path.parent)
            states[path.name] = found
        for seed in seeds:
            if time.monotonic() > until:
                break
            random, folder = chance("power", seed), place / "state"
            at = random.randint(1, recorder.clock)
            _build(recorder.top, folder, at, random, random.random())
            try:
                _check(folder, at, begun, saved, rows)
                if seed % RESUMED == 0 and at >= begun:
                    finish(folder)
                    tally.note("trained to the end")
                    if wrong := differences(everything(folder), expected):
                        tally.fail(seed, f"cut at operation {at}: continued, it differs in {', '.join(wrong)}")
            except Exception as bug:
                tally.fail(seed, f"cut at operation {at} of {recorder.clock}: {bug!r}")
            tally.done += 1
            shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - start
    return tally


def _check(folder: Path, at: int, begun: int, saved: list[tuple[int, int]], rows: list[dict[str, Any]]) -> None:
    """Raises: AssertionError, DataError: something durable is lost, or something wrong is taken for right."""
    if at >= begun:
        read_run(folder)
    durable = max((items for time_, items in saved if time_ <= at), default=None)
    found = checkpoint.load(folder / "checkpoints", lambda *_: None)
    if durable is not None and (found is None or found.items < durable):
        raise AssertionError(f"the checkpoint of {durable} images is lost, found {found and found.items}")
    if found is not None and (folder / "log.jsonl").exists():
        kept = [row for row in read_log(folder / "log.jsonl") if row["items"] <= found.items]
        due = [row for row in rows if row["items"] <= found.items]
        if kept != due:
            raise AssertionError(f"the log has {len(kept)} rows up to {found.items} images, expected {len(due)}")
    for bundle in (path for path in folder.glob("*.safetensors") if ".discriminator" not in path.suffixes):
        try:
            model_file.load(bundle)
            model_file.load(bundle, discriminator=True)
        except DataError as damage:
            if not any(reason in str(damage) for reason in ("is not beside it", "belongs to another save")):
                raise AssertionError(f"a bundle under its final name is damaged: {damage}") from None


def _build(node: Node, path: Path, at: int, random: Random, loss: float) -> None:
    """Write what the disk may hold of `node` after a cut at operation `at`; `loss`: how much of what may be lost is lost."""
    if node.folder:
        path.mkdir()
        synced = max((moment for moment in node.syncs if moment <= at), default=0)
        present: dict[str, Node] = {}
        for moment, changes in node.names:
            if moment <= at and (moment <= synced or random.random() >= loss):
                for name, child in changes.items():
                    if child is None:
                        present.pop(name, None)
                    else:
                        present[name] = child
        for name, child in present.items():
            _build(child, path / _of_the_dead(name), at, random, loss)
        return
    synced = max((moment for moment in node.syncs if moment <= at), default=0)
    safe = max((length for moment, length in node.writes if moment <= synced), default=0)
    known = max((length for moment, length in node.writes if moment <= at), default=0)
    data = bytes(node.data[:safe])
    if known > safe and random.random() >= loss / 2:
        rest = bytes(node.data[safe:known])
        cut = random.randint(0, len(rest))
        data += random.choice((rest, rest[:cut], rest[:cut] + b"\0" * (len(rest) - cut), b"\0" * len(rest)))
    path.write_bytes(data)


def _of_the_dead(name: str) -> str:
    """A temporary name as a process would have left it that ended with the power; other names as they are."""
    parts = name.split("-")
    return "-".join([*parts[:3], "0" * 8, *parts[4:]]) if name.startswith(".ganvas-") else name
