"""Watch a run folder from outside: its log as it grows, its pictures, its settings. Reads files and nothing else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.config import flat
from ganvas.errors import GanvasError
from ganvas.studio.kinds import kind
from ganvas.studio.store import Store, UnknownIdError, facts, last_row
from ganvas.studio.train.jobs import Jobs, checkpoints

AT_ONCE = 256 << 10  # bytes of a log that one answer reads
SAMPLE = re.compile(r"(\d{6,12})\.(\d{3})k\.png")
NOTES = re.compile(r"step|items|dropped|verdict_.*|gradient_.*|logit_gap|variety|strain|skill|memory|lead|augment|accuracy")


@dataclass(frozen=True)
class Place:
    """How far a log was read: in which file (a resumed run writes it anew), up to which byte."""

    file: int = 0
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Place:
        """From its spelling; the start where it is none."""
        found = re.fullmatch(r"(\d{1,20})-(\d{1,15})", text)
        return cls(int(found[1]), int(found[2])) if found else cls()

    def __str__(self) -> str:
        return f"{self.file}-{self.offset}"


def log(folder: Path, place: Place) -> dict[str, Any]:
    """What was written to a run's log after `place`: rows of means, events, measurements; `fresh` where it began anew."""
    try:
        with (folder / "log.jsonl").open("rb") as file:
            status = os.fstat(file.fileno())
            fresh = status.st_ino != place.file or status.st_size < place.offset
            start = 0 if fresh else place.offset
            file.seek(start)
            data = file.read(AT_ONCE)
    except OSError:
        return {"place": str(Place()), "fresh": True, "more": False, "rows": [], "events": [], "measures": []}
    whole = data[: data.rfind(b"\n") + 1]
    found: dict[str, list[dict[str, Any]]] = {"rows": [], "events": [], "measures": []}
    for line in whole.splitlines():
        with suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict):
                found[_kind(row)].append(row)
    end = start + len(whole)
    return {"place": str(Place(status.st_ino, end)), "fresh": fresh, "more": end < status.st_size and bool(whole), **found}


def _kind(row: dict[str, Any]) -> str:
    return "events" if "event" in row else "rows" if "dropped" in row else "measures"


def snapshots(folder: Path) -> list[int]:
    """The image counts at which pictures of the same noise were kept, in order."""
    with suppress(OSError):
        names = [SAMPLE.fullmatch(path.name) for path in (folder / "samples").iterdir()]
        return sorted(int(found[1]) * 1000 + int(found[2]) for found in names if found)
    return []


def snapshot(folder: Path, items: int) -> Path:
    """The picture at an image count. Raises: UnknownIdError: there is none."""
    if items not in snapshots(folder):
        raise UnknownIdError(f"no picture was kept at {items:,} images")
    return folder / "samples" / f"{items / 1000:010.3f}k.png"


def brief(store: Store, jobs: Jobs, name: str) -> dict[str, Any]:
    """One line about a run: what it plays and of which kind it is, how far it is, how it stands."""
    folder, status = store.run(name), jobs.status(name)
    recipe, result = facts(folder / "recipe.json"), facts(folder / "result.json")
    total = whole(recipe.get("train", {}), facts(folder / "branch.json").get("items", 0))
    if result:
        items = total = result.get("items", total)
    else:
        items = images(folder, status.live, jobs.row(name) if jobs.alive(name) else None)
        total = max(items, total) if total else 0  # a step may show several batches
    return {
        "id": name,
        "recipe": recipe.get("name", ""),
        "game": recipe.get("game", ""),
        "state": status.state,
        "words": status.words,
        "items": items,
        "total": total,
        "model": (folder / "model.safetensors").exists(),
        **kind(recipe),
    }


def whole(train: Mapping[str, Any], since: int = 0) -> int:
    """How many images a run that began at `since` will have been shown: it ends with a whole batch. 0: not known yet."""
    wanted, batch = train.get("images", 0), train.get("batch", 1)
    return since + -(-max(0, wanted - since) // batch) * batch if wanted else 0


def images(folder: Path, live: bool, row: Mapping[str, Any] | None) -> int:
    """How many images a run that has no result yet was shown: while it rests, those that a resume continues from.

    `row` is what its process printed last, {} while it gets ready and the log still holds what is done again, None where the
    process is not of this studio.
    """
    kept = checkpoints(folder)
    written: int = last_row(folder / "log.jsonl").get("items", 0)
    printed: int = row.get("items", 0) if row else 0
    if live and row != {}:
        return max(*kept, written, printed)
    return kept[-1] if kept else written


def details(store: Store, jobs: Jobs, name: str) -> dict[str, Any]:
    """All about a run but its log: also settings, pictures, places to branch at, speed, result."""
    found = brief(store, jobs, name)
    folder, row = store.run(name), jobs.row(name)
    live = found["state"] in ("running", "starting", "saving")
    rate = row.get("images_per_second") if live else None
    recipe, branch = facts(folder / "recipe.json"), facts(folder / "branch.json")
    train, last = recipe.get("train", {}), last_row(folder / "log.jsonl", having="dropped")
    settings = flat({key: recipe[key] for key in ("config", "data", "train") if key in recipe})
    settings.pop("data.source", None)  # a path of this machine is nobody's business
    return {
        **found,
        "about": recipe.get("about", ""),
        "paper": recipe.get("paper", ""),
        "settings": settings,
        "snapshots": snapshots(folder),
        "checkpoints": checkpoints(folder),
        "rate": rate,
        "left": (found["total"] - found["items"]) / rate if rate else None,
        "seconds": row.get("seconds"),
        "terms": row.get("terms") or losses(folder),
        "equilibrium": equilibrium(recipe),
        "balance": row.get("balance", ""),
        "result": facts(folder / "result.json"),
        "branch": branch,
        "best": facts(folder / "best.json"),
        "absent": absent(found, last, train.get("eval_every", 0), branch.get("items", 0)),
    }


def absent(run: Mapping[str, Any], row: Mapping[str, Any], every: int, since: int = 0) -> dict[str, str]:
    """What is said in place of numbers, pictures, measures and interventions where a run has none, true for how it stands.

    `row` is the last of its log, {} before the first; it is measured `every` so many images, never if 0, and began at `since`.
    """
    coming = run["state"] in ("starting", "running")
    near = coming and not row
    told = {
        "numbers": "The first numbers come after twenty steps." if near else "There are no numbers in its log.",
        "chart": "Nothing to draw yet." if near else "Nothing to draw in this run.",
        "picture": "The first picture comes in a moment." if near and run["draws"] else "There are no pictures of this run.",
        "events": "None so far" if coming else "None",
        "measure": "No held-out measure: start a run with the box “Measure against held-out pictures” ticked.",
    }
    told["events"] += standing(row)
    if not run["total"]:  # it has no recipe yet
        told["measure"] = told["chart"]
    elif every:
        due = min(every * (since // every + 1), run["total"])
        told["measure"] = f"The first measure comes after {due:,} {run['unit']}."
        if run["state"] == "finished" or run["items"] > due + every // 4:
            told["measure"] = "No held-out measure: this game has none, or too few samples were kept for it."
    return told


def standing(row: Mapping[str, Any]) -> str:
    """How a balance stands that has told of no intervention: what it does all the same is less than it tells of."""
    held, augmented = row.get("lead", 0), row.get("augment", 0)
    parts = [f"the critic is held back by {held:.2g}"] if held >= 0.005 else []
    parts += [f"augmentation is at {augmented:.0%}"] if augmented >= 0.005 else []
    if parts:
        return f" large enough to tell: {' and '.join(parts)} now."
    return ": the players are level by themselves." if 0.55 <= row.get("skill", 0) <= 0.95 else "."


def losses(folder: Path) -> list[str]:
    """The names of the loss terms of a run that says no more than its log."""
    return [name for name in last_row(folder / "log.jsonl", having="dropped") if not NOTES.fullmatch(name)]


def equilibrium(recipe: dict[str, Any]) -> dict[str, Any]:
    """What the critic's loss is when nobody can tell, in words and as a number; {} where there is no such value."""
    from ganvas.games.recipes import recipe_from

    try:
        scoring = recipe_from(recipe).config.rules.scoring
        return {"text": str(scoring.equilibrium_text), "value": float(scoring.equilibrium)}
    except (GanvasError, AttributeError):
        return {}
