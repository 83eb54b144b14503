"""What an upload with two sides is: pairs, label maps with pictures, or two domains; and the recipe that translates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ganvas.config import DataConfig
from ganvas.data.open_fields import find_two
from ganvas.data.pair_report import PairReport, inspect_pairs
from ganvas.errors import DataError
from ganvas.games.translation_choice import Translation, find_translation

PAIRS, MAPS, DOMAINS = "pairs", "maps", "domains"


def describe_sides(path: Path) -> tuple[dict[str, Any], PairReport | None, str]:
    """The facts about the two sides of a zip, its report as pairs or domains, and why there is none; all may be empty.

    `translation` is the recipe that `ganvas train --data` would choose, with what was found; None: it would choose none that
    translates. `pairs` is 0 for domains, and for two folders that may be two classes.
    """
    config = DataConfig(source=str(path))
    try:
        two, translation = find_two(config), find_translation(config)
        if two is None:
            return {}, None, ""
        report = inspect_pairs(config.source)
    except DataError as error:
        return {}, None, str(error).removeprefix(f"{config.source}: ")
    sides = (side.name for side in report.sides) if report else two.names
    counts = (side.count for side in report.sides) if report else map(len, two.keys)
    facts = {
        "names": [*sides],
        "counts": [*counts],
        "pairs": report.pairs if report else 0,
        "maps": report is not None and report.maps,
        "classes": dict(report.classes) if report else {},  # of label maps: the share of all pixels
        "translation": asdict(translation) if translation else None,
    }
    return facts, report, ""


def have_sides(report: Mapping[str, Any], kind: str) -> bool:
    """Whether an upload with this report has pairs, label maps, or two domains. Two folders are always two domains."""
    sides = report.get("sides") or {}
    if kind == DOMAINS:
        return bool(sides)
    return bool(sides.get("pairs")) and (kind == PAIRS or bool(sides.get("maps")))


def read_translation(report: Mapping[str, Any]) -> Translation | None:
    """The recipe that translates an upload with this report, as `ganvas train --data` would choose it; None: none."""
    found = (report.get("sides") or {}).get("translation")
    return Translation(**found) if found else None
