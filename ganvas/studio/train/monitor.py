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

from ganvas.core.modality import VOXELS
from ganvas.core.telemetry import is_note, list_discriminators, name_column
from ganvas.engine.balance import name_skill
from ganvas.errors import DataError, GanvasError
from ganvas.evaluation.validation import LEAST
from ganvas.games.recipe_choice import HELD_OUT
from ganvas.games.recipes import parse_recipe
from ganvas.studio.run_damage import find_damage
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import (
    Storage,
    UnknownIdError,
    list_checkpoints,
    list_snapshots,
    read_count,
    read_json,
    read_last_row,
    read_part,
)
from ganvas.studio.train.explanations import explain_settings
from ganvas.studio.train.images_used import count_total, read_files
from ganvas.studio.train.job_status import LIVE_STATES, Status, list_actions
from ganvas.studio.train.jobs import Jobs
from ganvas.training.log import EVERY
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import is_number, spell_count
from ganvas.utils.settings import flatten

READ_BYTES = 256 << 10  # of a log, for one answer
TUNABLE = re.compile(
    r"train\.(?!seed$|images$)|config\.rules\.|data\.(fit|flip)$"
)  # what a branch may change: not the networks
FEW = 4 * LEAST  # samples: of fewer, too few are left to train on if enough are held out
BOTH_LEARN = ("level", "ahead")  # of the skills of a discriminator: `name_skill`


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


def find_snapshot(folder: Path, items: int) -> Path:
    """The picture at an image count. Raises: UnknownIdError: there is none."""
    if items not in list_snapshots(folder):
        raise UnknownIdError(f"no picture was kept at {items:,} images")
    return folder / "samples" / f"{items / 1000:010.3f}k.png"


def summarize_run(storage: Storage, jobs: Jobs, name: str) -> dict[str, Any]:
    """The main facts of a run: its recipe, of which kind it is, how far it is, how it stands.

    A run whose files are damaged has the state "damaged" and words that say which file it is.
    """
    folder, status = storage.find_run(name), jobs.get_status(name)
    if (damage := find_damage(folder)) and not status.live:
        status = Status("damaged", damage)
    recipe, result, branch = read_files(folder)
    total = count_total(read_part(recipe, "train"), read_count(branch))
    if result:
        items = total = read_count(result) or total
    else:
        items = jobs.count_items(name, status.live)
        total = max(items, total) if total else 0  # a step may use several batches
    return {
        "id": name,
        "recipe": str(recipe.get("name", "")),
        "game": str(recipe.get("game", "")),
        "state": status.state,
        "words": status.words,
        "items": items,
        "total": total,
        "model": (folder / "model.safetensors").exists(),
        **describe_kind(recipe),
    }


def describe_run(storage: Storage, jobs: Jobs, name: str) -> dict[str, Any]:
    """All facts of a run but its log: also settings, snapshots, checkpoints, speed, result, possible actions."""
    summary = summarize_run(storage, jobs, name)
    folder, row = storage.find_run(name), jobs.read_row(name)
    live = summary["state"] in LIVE_STATES
    rate = read_rate(row) if live else None
    (recipe, result, branch), checkpoints = read_files(folder), list_checkpoints(folder)
    every, last = read_count(read_part(recipe, "train"), "eval_every"), read_numbers(folder)
    settings = flatten({key: recipe[key] for key in ("config", "data", "train") if key in recipe})
    settings.pop("data.source", None)  # a path of this machine, which no page needs
    return {
        **summary,
        "live": live,
        "actions": list_actions(summary["state"], checkpoints),
        "about": recipe.get("about", ""),
        "paper": recipe.get("paper", ""),
        "settings": settings,
        "explained": explain_settings(summary["game"], settings),
        "tunable": [name for name in settings if TUNABLE.match(name)],
        "snapshots": list_snapshots(folder),
        "checkpoints": checkpoints,
        "rate": rate,
        "left": (summary["total"] - summary["items"]) / rate if rate else None,
        "seconds": row.get("seconds"),
        "terms": row.get("terms") or [name for name in last if not is_note(name)],
        "discriminators": list_discriminators(last),
        "equilibrium": find_equilibrium(recipe),
        "balance": row.get("balance", "") or judge_skill(last),
        "result": result,
        "distance": describe_distance(result),
        "branch": branch,
        "best": read_json(folder / "best.json"),
        "missing": explain_missing(
            summary,
            last,
            every,
            read_count(branch),
            batch=read_count(read_part(recipe, "train"), "batch"),
            never=explain_unmeasured(summary, recipe, read_count(read_part(read_json(folder / "env.json"), "data"), "count")),
        ),
    }


def describe_distance(result: Mapping[str, Any]) -> str:
    """The distance of a finished run's samples beside its floor, in words; "": there is none."""
    found = read_part(result, "distance")
    value, floor = found.get("value"), found.get("floor")
    if not is_number(value) or not is_number(floor):
        return ""
    return f"distance to the data {value:.3g} (real data: {floor:.3g})"


def explain_missing(
    run: Mapping[str, Any], row: Mapping[str, Any], every: int, since: int = 0, *, batch: int = 0, never: str = ""
) -> dict[str, str]:
    """The text in place of numbers, pictures, measures and interventions that a run does not have (yet).

    `row` is the last of its log, {} before the first. It is measured after every `every` images, never if 0, and began at
    `since`; a step takes `batch` images. `never` says why it is never measured: `explain_unmeasured`.
    """
    coming = run["state"] in ("waiting", "starting", "running")
    early = coming and not row
    first = "the last step" if 0 < run["total"] - since < EVERY * batch else "twenty steps"
    texts = {
        "numbers": f"The first numbers come after {first}." if early else "There are no numbers in its log.",
        "chart": "Nothing to draw yet." if early else "Nothing to draw in this run.",
        "picture": "The first picture comes soon." if early and run["draws"] else "There are no pictures of this run.",
        "events": "None so far" if coming else "None",
        "measure": "No held-out measure: start a run with the box “Measure against held-out pictures” ticked.",
    }
    texts["events"] += describe_balance(row)
    if not run["total"]:  # it has no recipe yet
        texts["measure"] = texts["chart"]
    elif every and never:
        texts["measure"] = f"No held-out measure: {never}."
    elif every:
        due = min(every * (since // every + 1), run["total"])
        texts["measure"] = f"The first measure comes after {spell_count(due, run['unit'])}."
        if run["state"] == "finished" or run["items"] > due + every // 4:
            texts["measure"] = (
                f"No held-out measure: this game has none, or fewer than {LEAST} samples were held out; "
                "data.held_out is their share of the data."
            )
    return texts


def explain_unmeasured(run: Mapping[str, Any], recipe: Mapping[str, Any], count: int) -> str:
    """Why a run is never measured, in words; "" if it is, or if its files do not show it.

    `count` is the number of samples of its data, held-out ones among them; 0: not known.
    """
    if not run["draws"] or run["unit"] == VOXELS.unit:
        return "this game has none"
    data = read_part(recipe, "data")
    share = data.get("held_out")
    # Squares of one photograph and pairs of one clip are held out together, so that their number is not the share.
    grouped = data.get("tile") or data.get("pair") or "driving" in run["takes"]
    if not count or not is_number(share) or grouped or (held_out := int(share * count)) >= LEAST:
        return ""
    few = "none are held out" if held_out < HELD_OUT else f"fewer than {LEAST} are held out"
    advice = "data.held_out is their share" if count >= FEW else "train on more"
    return f"it needs at least {LEAST}, and of {spell_count(count, run['unit'])} {few}; {advice}"


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
    both_learn = skills and all(name_skill(skill) in BOTH_LEARN for skill in skills)
    return ": both players learn without help." if both_learn else "."


def judge_skill(row: Mapping[str, Any]) -> str:
    """The balance of the last row in words, a sentence for each discriminator; "" before it is known."""
    sentences = []
    for name in list_discriminators(row):
        if (skill := row.get(name_column("skill", name))) is None:
            continue
        who = f"The discriminator {name}" if name else "The discriminator"
        level = "Both players are level." if not name else f"{who} and its generator are level."
        words = name_skill(skill)
        sentences.append(level if words == "level" else f"{who} guesses." if words == "guesses" else f"{who} is {words}.")
    return " ".join(sentences)


def name_discriminator(name: str) -> str:
    """The discriminator in a sentence."""
    return f"the discriminator {name}" if name else "the discriminator"


def read_numbers(folder: Path) -> dict[str, float]:
    """The numbers of the last row of means in a run's log; {} before the first."""
    row = read_last_row(folder / "log.jsonl", having="dropped")
    return {name: value for name, value in row.items() if type(value) in (int, float)}


def read_rate(row: Mapping[str, Any]) -> float | None:
    """How many images a second a run has printed last; None: it has not, or none."""
    rate = row.get("images_per_second")
    return rate if isinstance(rate, int | float) and rate > 0 else None


def find_equilibrium(recipe: dict[str, Any]) -> dict[str, Any]:
    """The discriminator's loss if reals and fakes are equal, in words and as a number; {} if there is no such value."""

    try:
        scoring = parse_recipe(recipe).config.rules.scoring
        return {"text": str(scoring.equilibrium_text), "value": float(scoring.equilibrium)}
    except (GanvasError, AttributeError):
        return {}
