"""The names that users import: they exist, they are what they say, and older ones still work."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ganvas
import ganvas.editing
import ganvas.evaluation
from ganvas.core.game import Game, Step, Turn
from ganvas.games.common.duel import Duel

OLD = ("Term", "arithmetic", "neighbours", "plane", "strip", "traverse")


def test_the_public_names() -> None:
    assert len(ganvas.__all__) == 13
    found = {name: getattr(ganvas, name) for name in ganvas.__all__}
    assert all(callable(value) or name == "RECIPES" for name, value in found.items())
    assert (found["Game"], found["Turn"], found["Step"], found["Duel"]) == (Game, Turn, Step, Duel)
    assert {"cgan-mnist", "gan-ring"} <= set(found["RECIPES"])


def test_names_that_moved_work_in_both_places() -> None:
    for name in OLD:
        home = ganvas.evaluation if name == "neighbours" else ganvas.editing
        assert getattr(ganvas, name) is getattr(home, name)
        assert callable(getattr(home, name))


@pytest.mark.parametrize("module", [ganvas, ganvas.evaluation])
def test_other_names_are_refused(module: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'tarverse'"):
        _ = module.tarverse  # type: ignore[attr-defined]


def test_the_package_imports_no_torch_until_a_name_is_used() -> None:
    code = "import sys, ganvas, ganvas.cli.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_installed_command_is_there() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    module, _, name = project["scripts"]["ganvas"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_types_are_of_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(ganvas.__file__).with_suffix(".pyi").read_text())
    typed = {alias.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    typed["studio"] = "ganvas.studio" if typed.pop("_open_studio").startswith("ganvas.studio.") else ""
    assert typed == ganvas._MODULES


@pytest.mark.slow
def test_a_program_that_uses_them_type_checks(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(
        "import ganvas\n"
        "import ganvas.studio.page\n"
        "link: str = ganvas.studio('play').url\n"
        "wrong: int = ganvas.load('cgan-mnist')\n"
        "ganvas.tarverse\n"
    )
    words = ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"), str(program)]
    found = subprocess.run([sys.executable, "-m", "mypy", *words], capture_output=True, text=True, check=False).stdout
    assert "program.py:3" not in found
    assert 'program.py:4: error: Incompatible types in assignment (expression has type "Model"' in found
    assert 'program.py:5: error: Module has no attribute "tarverse"' in found
