"""What the pages say is there: every path, command, setting and module; and the game of CONTRIBUTING.md trains."""

from __future__ import annotations

import importlib.util
import itertools
import pkgutil
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from cyclopts.exceptions import CycloptsError, MissingArgumentError
from support import PLAN
from test_architecture import FLOORS

from ganvas.cli.app import app
from ganvas.cli.arguments import parse_settings
from ganvas.config import TrainConfig
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import averaged_game, new_state
from ganvas.experiments.lesson_list import LESSONS
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipes import resolve_recipe
from ganvas.inference import model_file
from ganvas.inference.batches import sample_chunks
from ganvas.latents.seed_latents import latents
from ganvas.utils.settings import to_dict

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "ganvas").rglob("*.md")])
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
SKIP = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "runs"}
PLACEHOLDER = re.compile(r"[A-Z]{3}|mygan")  # NAME, PAGE, and the file that CONTRIBUTING.md has a reader write


@cache
def files() -> frozenset[str]:
    """The files of the repository, below its root."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*.*") if path.is_file())
    return frozenset(path.as_posix() for path in paths if not SKIP & set(path.parts))


def is_there(path: str) -> bool:
    """Whether the repository has the folder `path`, or a file whose path ends so."""
    return (ROOT / path).exists() or any(f"/{found}".endswith(f"/{path}") for found in files())


@EACH_PAGE
def test_paths_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    whole = re.findall(r"(?<![\w/.$-])(?:ganvas|tests|bench|tools|docs)/[\w/.-]+", text)
    modules = re.findall(r"(?<![\w/.-])[\w/-]+\.(?:py|js|css|html)\b", text)
    named = {path.rstrip(".") for path in whole + modules if not PLACEHOLDER.search(path)}
    assert [path for path in sorted(named) if not is_there(path)] == []


@EACH_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    local = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in local if link and not (page.parent / link).exists()] == []


@EACH_PAGE
def test_modules_and_what_they_hold_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"(?<![\w/.\"'])ganvas(?:\.[A-Za-z_]\w*)+", text):
        if not PLACEHOLDER.search(name):
            pkgutil.resolve_name(name)
    for name, path in re.findall(r"`([\w.]+)`\s+in\s+`([\w/]+\.py)`", text):
        held = [(ROOT / found).read_text(encoding="utf-8") for found in files() if f"/{found}".endswith(f"/{path}")]
        last = name.rpartition(".")[2]
        assert any(re.search(rf"\b{last}\b", code) for code in held), f"{path} has no {last}"


@cache
def source() -> str:
    """All code of the package, without comments and white space."""
    return "".join(strip_code(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "ganvas").rglob("*.py")))


def strip_code(text: str) -> str:
    """Code without comments and white space."""
    return "".join(re.sub(r"(^|\s)#.*", "", text, flags=re.MULTILINE).split())


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "systems").glob("*.md")), ids=lambda path: path.stem)
def test_quoted_lines_are_in_the_code(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        if "ganvas.load" not in block:  # how to use it from Python
            missing = [line for line in block.splitlines() if strip_code(line) not in source()]
            assert missing == []


def test_the_floors_and_folders_of_the_architecture_page_are_those_of_the_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    floors = {int(number): set(names.split()) for number, names in re.findall(r"^ ?(\d+)  ([a-z_ ]+)$", text, re.MULTILINE)}
    there = {path.stem for path in (ROOT / "ganvas").iterdir()}
    assert floors == {floor: set(names) & there for floor, names in enumerate(FLOORS)}
    listed = set(re.findall(r"^  ([a-z]+)/ ", text, re.MULTILINE))
    assert listed == {path.name for path in (ROOT / "ganvas").iterdir() if (path / "__init__.py").exists()}


def commands(text: str) -> Iterator[tuple[str, bool]]:
    """The commands of a page, and whether they are whole: those of a block are, those within a sentence may not be."""
    blocks = r"^```[a-z]*\n(.*?)^```"
    for block in re.findall(blocks, text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            for command in re.split(r";\s*(?=ganvas )", line):
                if command.startswith("ganvas "):
                    yield command, True
    for inline in re.findall(r"`(ganvas [^`]+)`", re.sub(blocks, "", text, flags=re.DOTALL | re.MULTILINE)):
        yield " ".join(inline.split()), False


def check_command(command: str, whole: bool) -> None:
    """Parse a command as the command line does, and look up its recipe, settings and lesson."""
    words = shlex.split(command, comments=True)[1:]
    if "..." in words:
        words, whole = words[: words.index("...")], False
    words = ["1" if re.fullmatch("N|IMAGES", word) else word for word in words]
    if not words or words == ["--version"]:
        return
    try:
        function, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    except MissingArgumentError:
        assert not whole
        assert words[0] in app, words[0]
        return
    given: dict[str, Any] = bound.arguments
    if function.__name__ == "train" and not given.get("recipe", "RECIPE").isupper():
        settings = parse_settings(given.get("settings"))
        options = given["options"].recipe_fields if "options" in given else {}
        resolve_recipe(given["recipe"], settings, **options)
    if function.__name__ == "lesson" and given.get("name") and not given["name"].isupper():
        assert given["name"] in LESSONS


@EACH_PAGE
def test_commands_are_accepted(page: Path, mygan: ModuleType) -> None:
    for command, whole in commands(page.read_text(encoding="utf-8")):
        try:
            check_command(command, whole)
        except CycloptsError as wrong:
            pytest.fail(f"{command}: {type(wrong).__name__}: {wrong}")


def test_a_wrong_command_is_found() -> None:
    for command in ("ganvas trian x", "ganvas train cgan-mnist --imags 3", "ganvas sample", "ganvas eval RUN --sample 3"):
        with pytest.raises((CycloptsError, AssertionError)):
            check_command(command, whole=True)
    assert list(commands("```\nganvas a; ganvas b\n```\n`ganvas c\nd` `ganvas`")) == [
        ("ganvas a", True),
        ("ganvas b", True),
        ("ganvas c d", False),
    ]


def test_the_command_that_is_installed_exists() -> None:
    """`pip install` makes the command `ganvas` of this line."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert [callable(pkgutil.resolve_name(target)) for target in scripts.values()] == [True]


def test_nothing_is_left_to_verify() -> None:
    assert [page.name for page in PAGES if "TODO" in page.read_text(encoding="utf-8")] == []


def write_module(name: str, marker: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file of CONTRIBUTING.md that holds `marker`, imported as the module `name`."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if marker in block)
    assert len(code.splitlines()) < 100
    path = folder / f"{name}.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def mygan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The game that CONTRIBUTING.md shows, registered as it says."""
    module = write_module("mygan", "RECIPES = (", tmp_path, monkeypatch)
    monkeypatch.setitem(GAMES, "mygan", module.MyGAN)  # type: ignore[arg-type]
    for recipe in module.RECIPES:
        monkeypatch.setitem(RECIPES, recipe.name, recipe)  # type: ignore[arg-type]
    return module


def test_the_game_of_contributing_trains_and_is_rebuilt(mygan: ModuleType, tmp_path: Path) -> None:
    recipe = mygan.RECIPES[0]
    real = torch.randint(0, 256, (128, 1, 28, 28), dtype=torch.uint8)
    data = TableDataset("noise", {"real": real}, fingerprint="0" * 16)
    state = initial_state(recipe, PLAN)
    terms = [set(report) for _, report in itertools.islice(train(state, data, recipe.train), 5)]
    assert set.union(*terms) == {"D", "R1", "G", "grey"}
    game: Any = averaged_game(state)
    model_file.save(tmp_path / "model.safetensors", game, {"recipe": to_dict(recipe)})
    again: Any = model_file.load(tmp_path / "model.safetensors")[0]
    z = latents(range(4), game.latent_dim)
    assert torch.equal(sample_chunks(again, z, None), sample_chunks(game, z, None))


def test_the_translating_game_of_contributing_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = write_module("mypix2pix", "class Pix2Pix", tmp_path, monkeypatch)
    fields = {name: torch.randint(0, 256, (64, 1, 8, 8), dtype=torch.uint8) for name in ("source", "real")}
    data = PairedDataset("pairs", fields, fingerprint="0" * 16)
    config = TrainConfig(images=64, batch=16)
    state = new_state(module.Pix2Pix(module.Config()), config, PLAN)
    assert [set(report) for _, report in train(state, data, config)] == [{"D", "G", "L1"}] * 4
    game: Any = averaged_game(state)
    inputs = {"source": data.samples(torch.arange(3))["source"]}
    assert game.translate(inputs, game.directions[0]).shape == (3, 1, 8, 8)
