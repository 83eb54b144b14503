"""The structure of the package: folders on floors, imports that go down, no cycles, one name a module."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "ganvas"
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]
MODULES = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
FLOORS = (
    ("errors",), ("utils",), ("config",), ("core", "runtime"), ("layers", "losses", "metrics", "media", "latents"), ("data",),
    ("games",), ("engine",), ("inference",), ("editing", "evaluation"), ("export",), ("training",),
    ("augmentation", "experiments"), ("studio",), ("cli",), ("__main__",),
)  # fmt: skip
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def folder(module: str) -> str:
    """ "ganvas.engine.loop" -> "engine"."""
    return module.split(".")[1]


def imports(path: Path) -> set[str]:
    """The modules of ganvas that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ganvas"):
            found |= {name if (name := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("ganvas.")}
    return found - {"ganvas", None}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    above = {
        name
        for name in imports(MODULES[module])
        if folder(name) != folder(module) and FLOOR[folder(name)] >= FLOOR[folder(module)]
    }
    assert not above, f"{folder(module)} is on floor {FLOOR[folder(module)]} and imports {above}"


def test_no_cycles() -> None:
    TopologicalSorter({module: imports(path) - {module} for module, path in MODULES.items()}).prepare()


def test_games_import_no_game() -> None:
    games = {f"ganvas.games.{path.stem}" for path in (ROOT / "games").glob("*.py")} - {"ganvas.games.__init__"}
    helpers = {f"ganvas.games.{name}" for name in ("registry", "recipes", "recipe_choice")}
    for game in games - helpers:
        assert not imports(MODULES[game]) & games, game


def test_every_module_has_its_own_name() -> None:
    names = Counter(path.name for path in FILES)
    assert {name for name, count in names.items() if count > 1} <= {"__init__.py", "page.py"}


def test_the_root_holds_what_a_user_meets() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py", "config.py"}


def test_the_installed_command_exists() -> None:
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    module, function = project["scripts"]["ganvas"].split(":")
    tree = ast.parse(MODULES[module].read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_tests_mirror_the_package() -> None:
    folders = {path.parent.relative_to(ROOT) for path in FILES if path.parent != ROOT}
    tests = Path(__file__).parent
    unknown = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")} - folders - {Path()}
    assert not unknown, f"no folder of the package is called so: {unknown}"
