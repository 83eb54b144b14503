"""What several tests share: miniature recipes and their data, the command line, a hash of every bit."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import torch
from torch import Tensor

from ganvas.cli.app import main
from ganvas.config import Recipe
from ganvas.core.capabilities import TakesInputs
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.engine.autotune import initial_state
from ganvas.games import GAMES, RECIPES
from ganvas.inference import model_file
from ganvas.inference.model import Model
from ganvas.runtime.exits import STOPS
from ganvas.runtime.plan import Plan
from ganvas.utils.settings import to_dict

SMALL = {
    "width": 8,
    "critic_width": 8,
    "max_width": 8,
    "depth": 1,
    "head": 8,
    "widths": (4, 4, 8),
    "features": 8,
    "latent_dim": 4,
    "embedding": 4,
    "pretrain": 0.05,
    "dropout": 0.1,
    "critic_widths": (4, 4, 8),
    "blocks": 1,
    "map_width": 4,
    "noise_dim": 4,
    "pixel_share": 0.3,
    "keypoints": 2,
    "detector_widths": (4, 4, 8),
    "motion_widths": (4, 4, 8),
    "draw_widths": (4, 8),
    "crop": 16,
}
PLAN = Plan(threads=1)


def miniature(name: str) -> tuple[Recipe, Any]:
    """The recipe with tiny networks, and 48 random samples of the kind it takes; or a game of `miniatures`."""
    if name in miniatures.RECIPES:
        return miniatures.RECIPES[name], miniatures.table(name)
    recipe = RECIPES[name]
    config = recipe.config
    known = {field.name for field in dataclasses.fields(config)}
    config = replace(config, **{key: value for key, value in SMALL.items() if key in known})
    if issubclass(GAMES[recipe.game], TakesInputs):
        config = _adapt_to_inputs(config)
        return _played(recipe, config), draw_inputs(recipe, config)
    if "resolution" in known:
        config = replace(config, resolution=8 if getattr(config, "dims", 2) == 3 else 28)
    if "classes" in known:
        config = replace(config, classes=10)
    if "alphabet" in known:
        return _played(recipe, replace(config, length=5, vocabulary=7, alphabet=config.alphabet[:6])), _lines(
            config.alphabet[:6]
        )
    if recipe.game in ("vae-conditional", "fastgan-conditional"):
        # 6 + 10 inputs: products whose inner size no 4 divides round rows by their place.
        config = replace(config, latent_dim=6)
    shape = getattr(config, "shape", None) or (config.channels, *[config.resolution] * getattr(config, "dims", 2))
    random = torch.Generator().manual_seed(1)
    if len(shape) == 1:
        real = torch.randn(48, *shape, generator=random)
    else:
        real = torch.randint(0, 256, (48, *shape), generator=random, dtype=torch.uint8)
    fields = {"real": real, "label": torch.arange(48) % 10}
    return _played(recipe, config), TableDataset("miniature", fields, classes=tuple("0123456789"), fingerprint="0" * 16)


MAP_CLASSES = 4
LEGEND: dict[str, Any] = {
    "legend": tuple("0123"),
    "colors": tuple((80 * i, 40 * i, 200 - 40 * i) for i in range(MAP_CLASSES)),
}


def _adapt_to_inputs(config: Any) -> Any:
    """The settings of a game with inputs for pictures of 32 pixels and maps of four classes."""
    known, values = {field.name for field in dataclasses.fields(config)}, {"resolution": 32, "classes": MAP_CLASSES, **LEGEND}
    return replace(config, **{name: value for name, value in values.items() if name in known})


def draw_inputs(recipe: Recipe, config: Any) -> Dataset:
    """48 random rows with the fields that the game needs, at its side; of a label map a few pixels are not known."""
    random, needs, side = torch.Generator().manual_seed(1), GAMES[recipe.game].needs, config.resolution

    def draw(field: str) -> Tensor:
        if field == "map":
            blocks = torch.randint(0, MAP_CLASSES, (48, side // 4, side // 4), generator=random, dtype=torch.uint8)
            maps = blocks.repeat_interleave(4, 1).repeat_interleave(4, 2)
            maps[:, :2, :3] = 255
            return maps
        channels = getattr(config, "source_channels", config.channels) if field == "source" else config.channels
        size = side // config.scale if field == "low" else side
        return torch.randint(0, 256, (48, channels, size, size), generator=random, dtype=torch.uint8)

    fields = {field: draw(field) for field in sorted(needs, key=lambda field: field != "real")}
    if "a" in needs:
        a, b = (TableDataset(f"miniature {field}", {"real": fields[field]}, fingerprint="0" * 16) for field in "ab")
        return UnpairedDataset(a, b)
    if len(fields) < 2:
        return TableDataset("miniature", fields, fingerprint="0" * 16)
    return PairedDataset("miniature", fields, fingerprint="0" * 16, **(LEGEND if "map" in fields else {}))


def _lines(alphabet: str) -> TableDataset:
    """48 lines of up to 5 of 6 symbols, of 7 that never end without an alphabet."""
    random = torch.Generator().manual_seed(1)
    text = torch.randint(0, 7, (48, 5), generator=random)
    if alphabet:
        text = text * ((text == 0).cumsum(1) == 0)
    return TableDataset("miniature", {"text": text}, fingerprint="0" * 16, alphabet=alphabet, vocabulary=7)


def _played(recipe: Recipe, config: Any) -> Recipe:
    """The recipe with that config, for a few steps."""
    # A gradient that is zero but for rounding stays small, of which a plain Adam would make a whole step.
    calm = {"adam": replace(recipe.train.adam, eps=1e-6), "learning_rate": min(2e-3, recipe.train.learning_rate)}
    train = replace(recipe.train, batch=8, images=8 * 40, checkpoint_every=80, snapshots=3, average_halflife=100, **calm)
    return replace(recipe, config=config, train=train)


def ganvas(*words: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line as a user types it; with `env`, and as `ganvas_process`, in a process of its own.

    Here it runs within the process of the tests: to import PyTorch anew takes longer than most commands.
    """
    if env:
        return ganvas_process(*words, cwd=cwd, **env)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    handlers = {number: signal.getsignal(number) for number in STOPS}
    argv, folder, show = sys.argv, Path.cwd(), warnings.showwarning
    code: Any = 0
    try:
        sys.argv = ["ganvas", *map(str, words)]
        os.chdir(cwd)
        with warnings.catch_warnings(), redirect_stdout(out), redirect_stderr(err):
            warnings.simplefilter("default")
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv, warnings.showwarning = argv, show
        os.chdir(folder)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(sys.argv, int(code or 0), *texts)


def ganvas_process(*words: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The real command line in a process of its own, with one thread: tests run beside each other."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **env}
    command = [sys.executable, "-m", "ganvas", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False)


def hear_hangups() -> None:
    """In a child process: SIGHUP ends it, even if the tests run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def python(program: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A program in a Python process of its own, with one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False)


def state_hash(tensors: dict[str, Any]) -> int:
    """A hash of every bit of nested tensors."""
    flat = [
        (group, name, value.numpy().tobytes())
        for group, members in sorted(tensors.items())
        for name, value in sorted(members.items())
    ]
    return hash(tuple(flat))


# A run of real size that saves and draws often.
SETTINGS = ("--set", "train.checkpoint_every=6400", "--set", "train.snapshots=8", "--set", "config.width=32", "--batch", "64")


def digest(run: Path) -> str:
    """The SHA-256 of the run's bundle."""
    return hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()


def save_untrained(name: str, folder: Path) -> Path:
    """A bundle in `folder` of the miniature, before any training."""
    recipe, data = miniature(name)
    card = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
    model_file.save(folder / "model.safetensors", initial_state(recipe, PLAN).average, card)
    return folder / "model.safetensors"


def begin_untrained(name: str, folder: Path) -> None:
    """A new run folder with the bundle of the miniature; its data is nowhere."""
    recipe, data = miniature(name)
    recipe = replace(recipe, data=replace(recipe.data, source="not-here"))
    folder.mkdir()
    card = {"recipe": to_dict(recipe), "classes": list(data.classes), "items": 0}
    model_file.save(folder / "model.safetensors", initial_state(recipe, PLAN).average, card)
    (folder / "recipe.json").write_text(json.dumps(to_dict(recipe)))


@contextmanager
def faultless_tab(context: Any) -> Iterator[Any]:
    """A new tab of a browser, in which nothing may be thrown."""
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    tab.close()
    assert errors == []


def miniature_model(name: str) -> Model:
    """The miniature as a model in hand, with fresh weights; of 32 pixels where it has pixels."""
    recipe, data = miniature(name)
    if hasattr(recipe.config, "resolution"):
        recipe = replace(recipe, config=replace(recipe.config, resolution=32))
    game = initial_state(recipe, PLAN).average
    return Model(game, {"recipe": to_dict(recipe), "classes": list(data.classes), "items": 0}, "0" * 12)
