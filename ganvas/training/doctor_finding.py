"""A finding of the doctor, and the flag that it advises: settings of a run beside those of its recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganvas.config import Recipe
from ganvas.games import RECIPES


@dataclass(frozen=True)
class Finding:
    """One problem."""

    name: str
    evidence: str
    advice: str  # one flag to try

    def text(self) -> str:
        """One line for the user."""
        return f"{self.name}: {self.evidence}; try {self.advice}"

    def to_dict(self) -> dict[str, str]:
        """For --json."""
        return asdict(self)


def read_setting(recipe: Recipe, path: str) -> Any:
    """A setting of a recipe by its dotted path; None: there is no such setting. The rate of a player is 1 if it has none."""
    value: Any = recipe
    for name in path.split("."):
        value = value.get(name, 1.0) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def restore(recipe: Recipe, paths: Sequence[str]) -> str:
    """The flag that sets the first of some settings back that differs from the recipe of that name; "" if none differs."""
    usual = RECIPES.get(recipe.name)
    if usual is None:
        return ""
    for path in paths:
        now, before = read_setting(recipe, path), read_setting(usual, path)
        if now is not None and before is not None and now != before:
            return f"--set {path}={_format(before)}"
    return ""


def _format(value: object) -> str:
    """A setting as on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
