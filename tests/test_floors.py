"""Every file imports only from a lower floor, or from its own folder; games know no other game."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "ganvas"
MORE = ("plan", "resolve", "show", "run", "fit", "model", "catalogue", "bench", "worker")
FLOORS = (
    ("errors", "fields", "config", "seeds", "files", "exchange", "spelling"),
    ("objectives", "layers", "machine", "ranks", "solids"),
    ("game",),
    ("games", "data", "metrics", "edit"),
    ("engine", "balance", "bundle", "checkpoint", "journal", "export"),
    (
        "atlas",
        "bayes",
        "branch",
        "cas",
        "codes",
        "compass",
        "contest",
        "curriculum",
        "curve",
        "extractors",
        "compare",
        "doctor",
        "leaks",
        "lessons",
        "evaluate",
        "explorer",
        "journeys",
        "kin",
        "looks",
        "reading",
        "sides",
        "space",
        "strips",
        "training",
        *MORE,
    ),
    ("display", "ending", "words", "watch", "verbs", "matches", "voyages", "studio", "cli", "__main__"),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
# On one floor, who may import whom beside their own folder.
BESIDE = {
    "config": {"errors"},
    "fields": {"errors"},
    "files": {"errors"},
    "exchange": {"errors"},
    "metrics": {"data"},
    "ranks": set(),
    "engine": {"balance"},
    "bundle": set(),
    "plan": set(),
    "run": {"plan"},
    "doctor": {"leaks", "run", "show"},
    "atlas": {"codes", "model", "show"},
    "branch": {"plan", "resolve", "run"},
    "codes": {"show"},
    "contest": {"compare", "evaluate", "extractors", "model", "show", "sides"},
    "bayes": {"cas", "compare", "model", "sides"},
    "lessons": {"bayes", "compare", "contest", "curriculum", "evaluate", "model", "resolve", "run", "training"},
    "curve": {"extractors", "show"},
    "explorer": {"compass", "looks", "model", "run", "show"},
    "looks": {"model", "show", "space"},
    "fit": {"curve", "plan", "run", "show"},
    "training": {"fit", "model", "resolve", "run"},
    "model": {"codes", "show", "space"},
    "space": {"show"},
    "compass": {"extractors", "model", "space"},
    "journeys": {"compass", "model", "space"},
    "kin": {"extractors", "model", "show"},
    "compare": {"extractors"},
    "cas": {"plan", "run"},
    "sides": {"compare", "model"},
    "strips": {"model", "show", "space"},
    "reading": {"model"},
    "evaluate": {"cas", "compare", "extractors", "model", "reading", "show", "sides"},
    "bench": {"plan", "run"},
    "worker": {"bench", "fit", "run"},
    "watch": {"display"},
    "studio": {"ending"},
    "verbs": {"studio", "watch", "words"},
    "voyages": {"verbs", "words"},
    "matches": {"verbs", "watch", "words"},
    "cli": {"matches", "ending", "verbs", "voyages", "watch", "words"},
    "__main__": {"cli"},
}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def imported(path: Path) -> set[str]:
    """The rooms of ganvas that a file imports from, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ganvas":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names if alias.name != "__version__"}
    return found


def room(path: Path) -> str:
    """The file or folder right below ganvas/ that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    here = room(path)
    for there in imported(path) - {here}:
        allowed = FLOOR[there] < FLOOR[here] or there in BESIDE.get(here, set())
        assert allowed, f"{path.name} (floor {FLOOR[here]}) imports {there} (floor {FLOOR[there]})"


@pytest.mark.parametrize("path", sorted((ROOT / "games").glob("*.py")), ids=lambda path: path.stem)
def test_games_know_no_other_game(path: Path) -> None:
    shared = {"adversarial", "styled", "writing"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ganvas.games") and path.stem != "__init__":
            assert (node.module or "").split(".")[-1] in shared


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"{path.name} has {lines} lines: would two rooms be clearer?"
