"""Watch a run folder from outside: its log as it grows, its snapshots, its settings. Reads files and nothing else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.core.telemetry import is_note, list_discriminators, name_column
from ganvas.errors import DataError, GanvasError
from ganvas.games.recipes import parse_recipe
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import Storage, UnknownIdError, list_checkpoints, read_json, read_last_row
from ganvas.studio.train.job_status import LIVE_STATES, list_actions
from ganvas.studio.train.jobs import Jobs
from ganvas.utils.files import open_regular
from ganvas.utils.settings import flatten

READ_BYTES = 256 << 10  # of a log, for one answer
SNAPSHOT = re.compile(r"(\d{6,12})\.(\d{3})k\.png")
LEVEL = (0.55, 0.95)  # the skill of the discriminator at which both players learn


@dataclass(frozen=True)
class LogPlace:
    """How far a log was read: in which file (a resumed run writes a new one), up to which byte."""

    file: int = 0
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> LogPlace:
        """From its text; the start if the text is not a place."""
        match = re.fullmatch(r"(\d{1,20})-(\d{1,15})", text)
        return cls(int(match[1]), int(match[2])) if match else cls()

    def __str__(self) -> str:
        return f"{self.file}-{self.offset}"


def read_log(folder: Path, place: LogPlace) -> dict[str, Any]:
    """What was written to a run's log after `place`: rows of means, events, measures; `fresh`: it is a new file."""
    try:
        with open_regular(folder / "log.jsonl") as file:
            status = os.fstat(file.fileno())
            fresh = status.st_ino != place.file or status.st_size < place.offset
            start = 0 if fresh else place.offset
            file.seek(start)
            data = file.read(READ_BYTES)
    except (OSError, DataError):
        return {"place": str(LogPlace()), "fresh": True, "more": False, "rows": [], "events": [], "measures": []}
    lines = data[: data.rfind(b"\n") + 1]
    parts: dict[str, list[dict[str, Any]]] = {"rows": [], "events": [], "measures": []}
    for line in lines.splitlines():
        with suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict):
                parts[_classify_row(row)].append(row)
    end = start + len(lines)
    more = end < status.st_size and bool(lines)
    return {"place": str(LogPlace(status.st_ino, end)), "fresh": fresh, "more": more, **parts}


def _classify_row(row: dict[str, Any]) -> str:
    return "events" if "event" in row else "rows" if "dropped" in row else "measures"


def list_snapshots(folder: Path) -> list[int]:
    """The image counts at which the run kept a picture of the same noise, in order."""
    with suppress(OSError):
        matches = [SNAPSHOT.fullmatch(path.name) for path in (folder / "samples").iterdir()]
        return sorted(int(match[1]) * 1000 + int(match[2]) for match in matches if match)
    return []


def find_snapshot(folder: Path, items: int) -> Path:
    """The picture at an image count. Raises: UnknownIdError: there is none."""
    if items not in list_snapshots(folder):
        raise UnknownIdError(f"no picture was kept at {items:,} images")
    return folder / "samples" / f"{items / 1000:010.3f}k.png"


def summarize_run(storage: Storage, jobs: Jobs, name: str) -> dict[str, Any]:
    """The main facts of a run: its recipe, of which kind it is, how far it is, how it stands."""
    folder, status = storage.find_run(name), jobs.get_status(name)
    recipe, result = read_json(folder / "recipe.json"), read_json(folder / "result.json")
    total = count_total(recipe.get("train", {}), read_json(folder / "branch.json").get("items", 0))
    if result:
        items = total = result.get("items", total)
    else:
        items = count_items(folder, status.live, jobs.read_row(name) if jobs.is_alive(name) else None)
        total = max(items, total) if total else 0  # a step may use several batches
    return {
        "id": name,
        "recipe": recipe.get("name", ""),
        "game": recipe.get("game", ""),
        "state": status.state,
        "words": status.words,
        "items": items,
        "total": total,
        "model": (folder / "model.safetensors").exists(),
        **describe_kind(recipe),
    }


def count_total(train: Mapping[str, Any], since: int = 0) -> int:
    """How many images a run that began at `since` will use: it ends with a whole batch. 0: not known yet."""
    images, batch = train.get("images", 0), train.get("batch", 1)
    return since + -(-max(0, images - since) // batch) * batch if images else 0


def count_items(folder: Path, live: bool, row: Mapping[str, Any] | None) -> int:
    """How many images a run without a result has used; while it rests, the number from which a resume continues.

    `row` is what its process printed last; {} while it gets ready and the log still has what is done again; None if the
    process is not this studio's.
    """
    checkpoints = list_checkpoints(folder)
    written: int = read_last_row(folder / "log.jsonl").get("items", 0)
    printed: int = row.get("items", 0) if row else 0
    if live and row != {}:
        return max(*checkpoints, written, printed)
    return checkpoints[-1] if checkpoints else written


def describe_run(storage: Storage, jobs: Jobs, name: str) -> dict[str, Any]:
    """All facts of a run but its log: also settings, snapshots, checkpoints, speed, result, possible actions."""
    summary = summarize_run(storage, jobs, name)
    folder, row = storage.find_run(name), jobs.read_row(name)
    live = summary["state"] in LIVE_STATES
    rate = row.get("images_per_second") if live else None
    recipe, branch, checkpoints = read_json(folder / "recipe.json"), read_json(folder / "branch.json"), list_checkpoints(folder)
    train, last = recipe.get("train", {}), read_last_row(folder / "log.jsonl", having="dropped")
    settings = flatten({key: recipe[key] for key in ("config", "data", "train") if key in recipe})
    settings.pop("data.source", None)  # a path of this machine, which no page needs
    return {
        **summary,
        "live": live,
        "actions": list_actions(summary["state"], checkpoints),
        "about": recipe.get("about", ""),
        "paper": recipe.get("paper", ""),
        "settings": settings,
        "snapshots": list_snapshots(folder),
        "checkpoints": checkpoints,
        "rate": rate,
        "left": (summary["total"] - summary["items"]) / rate if rate else None,
        "seconds": row.get("seconds"),
        "terms": row.get("terms") or list_losses(folder),
        "discriminators": list_discriminators(last),
        "equilibrium": find_equilibrium(recipe),
        "balance": row.get("balance", "") or judge_skill(last),
        "result": read_json(folder / "result.json"),
        "branch": branch,
        "best": read_json(folder / "best.json"),
        "missing": explain_missing(summary, last, train.get("eval_every", 0), branch.get("items", 0)),
    }


def explain_missing(run: Mapping[str, Any], row: Mapping[str, Any], every: int, since: int = 0) -> dict[str, str]:
    """The text in place of numbers, pictures, measures and interventions that a run does not have (yet).

    `row` is the last of its log, {} before the first. It is measured after every `every` images, never if 0, and began at
    `since`.
    """
    coming = run["state"] in ("waiting", "starting", "running")
    early = coming and not row
    texts = {
        "numbers": "The first numbers come after twenty steps." if early else "There are no numbers in its log.",
        "chart": "Nothing to draw yet." if early else "Nothing to draw in this run.",
        "picture": "The first picture comes soon." if early and run["draws"] else "There are no pictures of this run.",
        "events": "None so far" if coming else "None",
        "measure": "No held-out measure: start a run with the box “Measure against held-out pictures” ticked.",
    }
    texts["events"] += describe_balance(row)
    if not run["total"]:  # it has no recipe yet
        texts["measure"] = texts["chart"]
    elif every:
        due = min(every * (since // every + 1), run["total"])
        texts["measure"] = f"The first measure comes after {due:,} {run['unit']}."
        if run["state"] == "finished" or run["items"] > due + every // 4:
            texts["measure"] = "No held-out measure: this game has none, or too few samples were held out."
    return texts


def describe_balance(row: Mapping[str, Any]) -> str:
    """How the balance stands in a run without an intervention in its log: small changes are not logged."""
    parts, skills = [], []
    for name in list_discriminators(row):
        lead, augment, skill = (row.get(name_column(note, name), 0) for note in ("lead", "augment", "skill"))
        skills.append(skill)
        parts += [f"{name_discriminator(name)} is slowed down by {lead:.2g}"] if lead >= 0.005 else []
        parts += [f"augmentation{f' for {name}' if name else ''} is at {augment:.0%}"] if augment >= 0.005 else []
    if parts:
        return f" large enough to log: {' and '.join(parts)} now."
    level = skills and all(LEVEL[0] <= skill <= LEVEL[1] for skill in skills)
    return ": both players are level without help." if level else "."


def judge_skill(row: Mapping[str, Any]) -> str:
    """The balance of the last row in words, a sentence for each discriminator; "" before it is known."""
    sentences = []
    for name in list_discriminators(row):
        if (skill := row.get(name_column("skill", name))) is None:
            continue
        who = f"The discriminator {name}" if name else "The discriminator"
        level = "Both players are level." if not name else f"{who} and its generator are level."
        sentences.append(f"{who} guesses." if skill < LEVEL[0] else level if skill <= LEVEL[1] else f"{who} is far ahead.")
    return " ".join(sentences)


def name_discriminator(name: str) -> str:
    """The discriminator in a sentence."""
    return f"the discriminator {name}" if name else "the discriminator"


def list_losses(folder: Path) -> list[str]:
    """The names of the losses in a run's log."""
    return [name for name in read_last_row(folder / "log.jsonl", having="dropped") if not is_note(name)]


def find_equilibrium(recipe: dict[str, Any]) -> dict[str, Any]:
    """The discriminator's loss if reals and fakes are equal, in words and as a number; {} if there is no such value."""

    try:
        scoring = parse_recipe(recipe).config.rules.scoring
        return {"text": str(scoring.equilibrium_text), "value": float(scoring.equilibrium)}
    except (GanvasError, AttributeError):
        return {}
