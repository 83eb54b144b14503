"""The scripts of the pages read like the Python: short lines, one idea a file, the field's words; and no fact is kept twice."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

STUDIO = Path(__file__).parents[2] / "ganvas" / "studio"
STATIC = STUDIO / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
MODULES = sorted(STUDIO.rglob("*.py"))
MAX_COLUMNS, MAX_LINES = 128, 300
TEACHING = re.compile(r"\b(artist|critic)\b", re.IGNORECASE)
PARTICIPLES = "told seen shown said drawn asked named known given laid pulled warped linked spelt labelled settled heard kept"


def name(path: Path) -> str:
    return str(path.relative_to(STUDIO))


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_lines_and_files_of_scripts_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert [i + 1 for i, line in enumerate(lines) if len(line) > MAX_COLUMNS or line != line.rstrip()] == []
    assert len(lines) <= MAX_LINES
    assert lines[0].startswith("// ")  # what the file is for


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_every_import_of_a_script_names_a_file_that_exports_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for names, source in re.findall(r"import \{([^}]*)\} from \"([^\"]+)\"", text):
        there = (path.parent / source).resolve().read_text(encoding="utf-8")
        for each in filter(None, (part.strip() for part in names.split(","))):
            assert re.search(rf"export (async )?(function|class|const|let) {re.escape(each)}(?![\w$])", there), (source, each)
            assert len(re.findall(rf"(?<![\w$]){re.escape(each)}(?![\w$])", text)) > 1, each  # and it is used


@pytest.mark.parametrize(("files", "shared"), [(SCRIPTS, "page.js"), (MODULES, "page.py")])
def test_no_two_files_have_one_name(files: list[Path], shared: str) -> None:
    names = Counter(path.name for path in files)
    assert [found for found, count in names.items() if count > 1 and found not in (shared, "__init__.py")] == []


def test_artist_and_critic_are_words_of_the_page_play_only() -> None:
    files = [*SCRIPTS, *MODULES, *(STUDIO / "html").glob("*.html")]
    elsewhere = [path for path in files if "play" not in name(path)]
    assert [name(path) for path in elsewhere if TEACHING.search(path.read_text(encoding="utf-8"))] == []
    overview = (STATIC / "play" / "overview.js").read_text(encoding="utf-8")
    assert '"Artist G", "the generator"' in overview  # beside each teaching word stands the field's
    assert '"Critic D", "the discriminator"' in overview


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_are_verbs_and_imports_stand_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert {function.name for function in functions} & set(PARTICIPLES.split()) == set()
    inner = [node for function in functions for node in ast.walk(function) if isinstance(node, (ast.Import, ast.ImportFrom))]
    lazy = [node.module for node in inner if isinstance(node, ast.ImportFrom)]
    assert inner == [] or (path == STUDIO / "__init__.py" and lazy == ["ganvas.studio.notebook_studio"])  # it needs the extra


def test_what_python_knows_stands_in_no_script() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    served = ("mixture1d", "leastsquares", "wasserstein", "MNIST", "interrupted: ", "steps a second", "getting ready: ")
    assert [word for word in served if word in text] == []
    assert "resolution ===" not in text.replace("resolution === null", "")  # which resolution suits which pictures
