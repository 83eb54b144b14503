"""Analyses of runs by commands of the command line, each in its own process: recipes, doctor, branch, compare."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from ganvas.data.open import BUILT_IN
from ganvas.errors import GanvasError, UsageError
from ganvas.evaluation.measure_names import SAMPLES, TEXT
from ganvas.games import GAMES, RECIPES
from ganvas.studio.commands import quote_code, run_command
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import Storage, UnknownIdError, list_checkpoints, read_json
from ganvas.studio.train import pace
from ganvas.studio.train.choices import FIELDS, match_recipe
from ganvas.studio.train.explanations import explain_settings
from ganvas.studio.train.job_status import SETTING, make_options
from ganvas.studio.train.pace import estimate_seconds, read_paces
from ganvas.utils.parsing import printable
from ganvas.utils.settings import flatten, to_dict

OUTDATED = "Training has gone on since these were measured; measure both again."
LOWER = ("fd", "kd", "ppl", "nats")  # measures that a better model lowers; others are best near those of real data
Pair = tuple[str, str, int]  # two runs, and how many samples of each are measured


class Analyses:
    """Commands that take seconds: one at a time, with the result kept until something changes."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.one_at_a_time, self.listing, self.timing = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
        self.recipes: list[dict[str, Any]] | None = None
        self.findings: dict[str, tuple[object, Any]] = {}
        self.comparisons: dict[Pair, asyncio.Task[None]] = {}
        self.failures: dict[Pair, str] = {}

    async def list_recipes(self) -> list[dict[str, Any]]:
        """A row for each recipe, as `ganvas recipes` lists them: also its `unit`, the data that suit it, its `seconds` here.

        Only the seconds change, as runs end here.
        """
        async with self.listing:
            if self.recipes is None:
                rows = await run_command("recipes", "--json", seconds=300)
                self.recipes = [
                    {
                        **row,
                        **match_recipe(row, "label" in GAMES[row["game"]].needs),
                        "unit": describe_kind(to_dict(RECIPES[row["name"]]))["unit"],
                        "images": RECIPES[row["name"]].train.images,
                    }
                    for row in rows
                ]
        paces = await run_in_threadpool(read_paces, self.storage)
        return [{**row, "seconds": estimate_seconds(RECIPES[row["name"]], paces)} for row in self.recipes]

    async def time_recipe(self, name: str, may_time: bool = True) -> float | None:
        """Seconds of a whole run of the recipe on this machine, by a timing unless one is kept; None: it cannot be timed.

        Without `may_time` they follow from what is known: beside a training a timing would be wrong, and disturb it.

        Raises:
            UnknownIdError: there is no such recipe.
        """
        if name not in RECIPES:
            raise UnknownIdError(f"there is no recipe {printable(name, 60)!r}; look at the list of recipes")
        async with self.timing:
            paces = await run_in_threadpool(read_paces, self.storage)
            if may_time and name not in paces and RECIPES[name].data.source:
                with suppress(GanvasError):  # such as data that must be downloaded first: an estimate will do
                    row = await run_command(name, module=pace.MODULE, seconds=60)
                    pace.write_pace(self.storage, name, row["pace"])
                    paces[name] = row["pace"]
        return estimate_seconds(RECIPES[name], paces)

    def describe_settings(self, name: str) -> list[list[Any]]:
        """[setting, value, what it means] of a recipe, of those that a page may change.

        Raises:
            UnknownIdError: there is no such recipe.
        """
        if name not in RECIPES:
            raise UnknownIdError(f"there is no recipe {printable(name, 60)!r}; look at the list of recipes")
        recipe = to_dict(RECIPES[name])
        settings = flatten({key: recipe[key] for key in ("config", "data", "train")})
        meanings = explain_settings(recipe["game"], settings)
        own = [setting for setting in settings if SETTING.fullmatch(setting) and setting not in FIELDS]
        return [[setting, settings[setting], meanings.get(setting, "")] for setting in own]

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all built-in sources."""

        return BUILT_IN

    async def diagnose(self, name: str) -> Any:
        """What `ganvas doctor` finds, and its summary. It is run again only if there is a newer checkpoint."""
        folder = self.storage.find_run(name)
        key = (list_checkpoints(folder)[-1:], (folder / "result.json").exists())
        async with self.one_at_a_time:
            if name not in self.findings or self.findings[name][0] != key:
                said = await run_command(str(folder), module="ganvas.studio.train.diagnosis", seconds=600)
                texts = [{part: quote_code(str(text)) for part, text in each.items()} for each in said["findings"]]
                self.findings[name] = key, {"findings": texts, "summary": quote_code(said["summary"])}
            return self.findings[name][1]

    async def branch(self, folder: Path, at: int | None, settings: Mapping[str, str]) -> str:
        """Make a new run folder that branches from the run in `folder` at `at` images; returns its id.

        Raises:
            UsageError: `ganvas branch` refuses, or a setting that a page may not change.
        """
        words = ["branch", str(folder), "--json", *make_options(settings)]
        if not settings:
            raise UsageError("a branch needs a setting that is changed, such as train.learning_rate=1e-4")
        words += [] if at is None else ["--at", str(at)]
        root = folder.name.partition("-")[2] or folder.name
        out = self.storage.reserve_run(f"{root[:80]}-branch" if not root.endswith("-branch") else root)
        out.rmdir()  # the command makes it, whole or not at all
        await run_command(*words, "--out", str(out), seconds=300)
        return out.name

    def find_folder(self, a: str, b: str, samples: int) -> Path:
        """The folder for a comparison of two runs as they are now. Raises: UnknownIdError: no such runs."""
        first, second = self.storage.find_run(a), self.storage.find_run(b)
        state = "-".join(str((list_checkpoints(folder) or [0])[-1]) for folder in (first, second))
        return self.storage.private / "compare" / f"{first.name}+{second.name}+{samples}+{state}"

    def find_newest(self, a: str, b: str, samples: int) -> Path | None:
        """The newest comparison of two runs, perhaps of an earlier time. Raises: UnknownIdError: no such runs."""
        now = self.find_folder(a, b, samples)
        finished = now.parent.glob(f"{a}+{b}+{samples}+*/comparison.json")
        return max((path.parent for path in finished), key=lambda path: (path == now, path.stat().st_mtime), default=None)

    def start_comparison(self, a: str, b: str, samples: int) -> None:
        """Start to compare two runs, unless that is done or going on.

        Raises:
            UsageError: one run twice, or one that has saved no model yet.
        """
        pair, out = (a, b, samples), self.find_folder(a, b, samples)
        for name in (a, b):
            if not (self.storage.find_run(name) / "model.safetensors").exists():
                raise UsageError(f"{name} has saved no model yet; wait until it has")
        if a == b:
            raise UsageError("choose two different runs to compare")
        if pair not in self.comparisons and not (out / "comparison.json").exists():
            self.failures.pop(pair, None)
            self.comparisons[pair] = asyncio.create_task(self._compare(pair, out))

    async def _compare(self, pair: Pair, out: Path) -> None:
        a, b, samples = pair
        paths = [str(self.storage.find_run(name)) for name in (a, b)]
        self.storage.make_folder("compare")
        try:
            await run_command("compare", *paths, "--out", str(out), "--samples", str(samples), "--json")
        except GanvasError as failure:
            self.failures[pair] = str(failure)
            shutil.rmtree(out, ignore_errors=True)
        finally:
            self.comparisons.pop(pair, None)

    def describe_comparison(self, a: str, b: str, samples: int) -> dict[str, Any]:
        """The settings that differ, and how the comparison stands: none, measuring, failed, or ready with the numbers.

        `words`: why it failed, or that the numbers are of an earlier time; `note`: what could not be measured.
        """
        pair, out = (a, b, samples), self.find_newest(a, b, samples)
        facts: dict[str, Any] = {
            "a": a,
            "b": b,
            "differences": list_differences(self.storage.find_run(a), self.storage.find_run(b)),
            "words": "",
        }
        if pair in self.comparisons:
            return {**facts, "state": "measuring"}
        if pair in self.failures:
            return {**facts, "state": "failed", "words": self.failures[pair]}
        if not out or not (result := read_json(out / "comparison.json")):
            return {**facts, "state": "none"}
        words = "" if out == self.find_folder(a, b, samples) else OUTDATED
        numbers = {
            "models": result.get("models", []),
            "reference": Path(result["reference"]).name,
            "note": result.get("note", ""),
        }
        names = {name for model in numbers["models"] for name in model.get("measures", {})}
        numbers["about"] = {name: explain_measure(name) for name in names}
        return {**facts, "state": "ready", "words": words, **numbers}

    def forget(self, name: str) -> None:
        """Drop what is kept about a run that was deleted: a later run may get its id."""
        self.findings.pop(name, None)
        self.failures = {pair: line for pair, line in self.failures.items() if name not in pair[:2]}
        for path in (self.storage.private / "compare").glob("*+*"):
            if name in path.name.split("+")[:2]:
                shutil.rmtree(path, ignore_errors=True)

    async def close(self) -> None:
        """End the comparisons that are going on."""
        tasks = list(self.comparisons.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def explain_measure(name: str) -> list[str]:
    """[what it measures, what is better] of a measure by its name in a report, such as fd2000-digits."""
    plain = re.split(r"[\d:-]", name, maxsplit=1)[0]
    better = "lower is better" if plain in LOWER else "near that of real data is best"
    return [{**SAMPLES, **TEXT}.get(plain, ""), better]


def list_differences(a: Path, b: Path) -> list[list[Any]]:
    """[setting, value in a, value in b] for each setting that differs. Of a path only the last part is given."""
    first, second = (flatten(read_json(folder / "recipe.json")) for folder in (a, b))
    names = sorted({name for name in first | second if first.get(name) != second.get(name)} - {"about", "paper", "minutes"})
    return [[name, _hide_folder(name, first.get(name)), _hide_folder(name, second.get(name))] for name in names]


def _hide_folder(name: str, value: Any) -> Any:
    return Path(value).name if name == "data.source" and isinstance(value, str) else value
