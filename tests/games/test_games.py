"""What holds for the files of all games."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ganvas.games
from ganvas.games import GAMES

FOLDER = Path(ganvas.games.__file__).parent
MODULES = sorted({game.__module__ for game in GAMES.values()})


@pytest.mark.parametrize("module", MODULES)
def test_no_game_imports_another(module: str) -> None:
    """What several games need lies beside them: a game is read with its paper, not with its relatives."""
    tree = ast.parse((FOLDER / f"{module.rpartition('.')[2]}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & set(MODULES)


def test_every_capability_is_declared_by_a_base_class() -> None:
    """A game that has a method of a capability without its class would be passed over by all that ask for it."""
    from ganvas.core import capabilities

    kinds = [
        kind for kind in vars(capabilities).values() if isinstance(kind, type) and getattr(kind, "__abstractmethods__", None)
    ]
    for name, each in GAMES.items():
        for kind in kinds:
            wanted = kind.__abstractmethods__ & vars(kind).keys()  # its own, not those of the kind it builds on
            has_all = bool(wanted) and all(hasattr(each, method) for method in wanted)
            assert issubclass(each, kind) or not has_all, (name, kind.__name__)
