"""Second opinions on runs, from verbs of the command line in processes of their own: recipes, doctor, branch, compare."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.config import flat
from ganvas.errors import GanvasError, UsageError
from ganvas.studio.chores import chore
from ganvas.studio.kinds import kind
from ganvas.studio.store import Store, facts
from ganvas.studio.train.jobs import checkpoints, options

CLASSES = {"mnist": 10, "fashion": 10, "stacked": 0}  # of the built-in sources of pictures
GONE_ON = "Training has gone on since these were measured; measure both again."
Pair = tuple[str, str, int]  # two runs, and how many samples of each are measured


class Second:
    """What takes seconds and a process: one at a time, remembered while nothing has changed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.turn, self.listing = asyncio.Lock(), asyncio.Lock()
        self.listed: list[dict[str, Any]] | None = None
        self.findings: dict[str, tuple[object, Any]] = {}
        self.contests: dict[Pair, asyncio.Task[None]] = {}
        self.failures: dict[Pair, str] = {}

    async def recipes(self) -> list[dict[str, Any]]:
        """A row a recipe, as `ganvas recipes` lists them, its `unit`, if it needs `labels`; listed once for all that ask."""
        from ganvas.config import to_dict
        from ganvas.games import GAMES, RECIPES

        async with self.listing:
            if self.listed is None:
                rows = await chore("recipes", "--json", seconds=300)
                self.listed = [
                    {**row, "labels": "label" in GAMES[row["game"]].needs, "unit": kind(to_dict(RECIPES[row["name"]]))["unit"]}
                    for row in rows
                ]
            return self.listed

    @property
    def sources(self) -> tuple[str, ...]:
        """The built-in sources."""
        from ganvas.data.opening import BUILT_IN

        return BUILT_IN

    async def doctor(self, name: str) -> Any:
        """The findings of `ganvas doctor`; asked anew only when there is a newer checkpoint."""
        folder = self.store.run(name)
        key = (checkpoints(folder)[-1:], (folder / "result.json").exists())
        async with self.turn:
            if name not in self.findings or self.findings[name][0] != key:
                self.findings[name] = key, await chore("doctor", str(folder), "--json", seconds=600)
            return self.findings[name][1]

    async def branch(self, folder: Path, at: int | None, settings: Mapping[str, str]) -> str:
        """A new run folder that leaves the run in `folder` at `at` images; returns its id.

        Raises:
            UsageError: `ganvas branch` refuses, or a setting that a page may not change.
        """
        words = ["branch", str(folder), "--json", *options(settings)]
        if not settings:
            raise UsageError("a branch needs a setting that is changed, such as train.learning_rate=1e-4")
        words += [] if at is None else ["--at", str(at)]
        root = folder.name.partition("-")[2] or folder.name
        out = self.store.reserve(f"{root[:80]}-branch" if not root.endswith("-branch") else root)
        out.rmdir()  # the verb makes it, whole or not at all
        await chore(*words, "--out", str(out), seconds=300)
        return out.name

    def folder(self, a: str, b: str, samples: int) -> Path:
        """Where a comparison of two runs as they are now is kept. Raises: UnknownIdError: no such runs."""
        first, second = self.store.run(a), self.store.run(b)
        seen = "-".join(str((checkpoints(folder) or [0])[-1]) for folder in (first, second))
        return self.store.private / "compare" / f"{first.name}+{second.name}+{samples}+{seen}"

    def kept(self, a: str, b: str, samples: int) -> Path | None:
        """The newest comparison that there is, perhaps of the two as they were. Raises: UnknownIdError: no such runs."""
        now = self.folder(a, b, samples)
        done = now.parent.glob(f"{a}+{b}+{samples}+*/comparison.json")
        return max((path.parent for path in done), key=lambda path: (path == now, path.stat().st_mtime), default=None)

    def measure(self, a: str, b: str, samples: int) -> None:
        """Begin to compare two runs, unless that was done or is being done.

        Raises:
            UsageError: one run twice, or one that has saved no model yet.
        """
        pair, out = (a, b, samples), self.folder(a, b, samples)
        for name in (a, b):
            if not (self.store.run(name) / "model.safetensors").exists():
                raise UsageError(f"{name} has saved no model yet; let it train on")
        if a == b:
            raise UsageError("choose two different runs to compare")
        if pair not in self.contests and not (out / "comparison.json").exists():
            self.failures.pop(pair, None)
            self.contests[pair] = asyncio.create_task(self._measure(pair, out))

    async def _measure(self, pair: Pair, out: Path) -> None:
        a, b, samples = pair
        paths = [str(self.store.run(name)) for name in (a, b)]
        self.store.folder("compare")
        try:
            await chore("compare", *paths, "--out", str(out), "--samples", str(samples), "--json")
        except GanvasError as failure:
            self.failures[pair] = str(failure)
            shutil.rmtree(out, ignore_errors=True)
        finally:
            self.contests.pop(pair, None)

    def contest(self, a: str, b: str, samples: int) -> dict[str, Any]:
        """What two runs differ in, and how their comparison stands: none, measuring, failed, ready with the numbers.

        `words` says why it failed, or that the numbers are of an earlier time; `note` what could not be measured.
        """
        pair, out = (a, b, samples), self.kept(a, b, samples)
        found: dict[str, Any] = {"a": a, "b": b, "differences": differences(self.store.run(a), self.store.run(b)), "words": ""}
        if pair in self.contests:
            return {**found, "state": "measuring"}
        if pair in self.failures:
            return {**found, "state": "failed", "words": self.failures[pair]}
        if not out or not (result := facts(out / "comparison.json")):
            return {**found, "state": "none"}
        words = "" if out == self.folder(a, b, samples) else GONE_ON
        told = {"models": result.get("models", []), "reference": Path(result["reference"]).name, "note": result.get("note", "")}
        return {**found, "state": "ready", "words": words, **told}

    def forget(self, name: str) -> None:
        """Drop what is known of a run that was deleted: a later one may have its id."""
        self.findings.pop(name, None)
        self.failures = {pair: line for pair, line in self.failures.items() if name not in pair[:2]}
        for path in (self.store.private / "compare").glob("*+*"):
            if name in path.name.split("+")[:2]:
                shutil.rmtree(path, ignore_errors=True)

    async def close(self) -> None:
        """End what is being measured."""
        tasks = list(self.contests.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def differences(a: Path, b: Path) -> list[list[Any]]:
    """[setting, value in a, value in b] for every setting that two runs differ in; a path shows its last part."""
    first, second = (flat(facts(folder / "recipe.json")) for folder in (a, b))
    names = sorted({name for name in first | second if first.get(name) != second.get(name)} - {"about", "paper", "minutes"})
    return [[name, _shown(name, first.get(name)), _shown(name, second.get(name))] for name in names]


def _shown(name: str, value: Any) -> Any:
    return Path(value).name if name == "data.source" and isinstance(value, str) else value
