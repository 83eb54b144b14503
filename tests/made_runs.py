"""Run folders as a long training would have left them: a real recipe, real data, a real bundle, and an invented log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from support import PLAN
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.game import Game
from ganvas.data.builtin.point_sets import point_source
from ganvas.data.open import open_source
from ganvas.games import RECIPES
from ganvas.games.recipes import adapt_recipe, open_data
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.media.image_files import to_bytes
from ganvas.training.doctor_finding import Finding
from ganvas.training.run_folder import Run
from ganvas.utils.settings import assign, to_dict

HEALTHY = {
    "verdict_real": 0.68,
    "verdict_fake": 0.3,
    "skill": 0.69,
    "memory": 0.01,
    "augment": 0.0,
    "variety": 1.0,
    "gradient_generator": 1.2,
    "gradient_discriminator": 1.4,
    "D": 1.2,
    "G": 1.0,
}


class Prompter:
    """Draws given samples whatever the noise: the artist of a run that learnt just these."""

    def __init__(self, samples: Tensor) -> None:
        self.samples = samples

    def __call__(self, game: Game, z: Tensor, c: Tensor | None, chunk: int = 32, *, keep: Callable[[Tensor], Tensor]) -> Tensor:
        return keep(self.samples[torch.arange(len(z)) % len(self.samples)])


@dataclass
class Script:
    """A run folder to be: a recipe on some data, what its log says and what its model draws."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def run(
        self,
        name: str,
        log: Callable[[float], dict[str, float]] = lambda share: {},
        draws: Tensor | None = None,
        data: Path | None = None,
        dropped: int = 0,
        items: int | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        **train: object,
    ) -> Path:
        recipe = RECIPES[name]
        if data is not None:
            recipe = replace(recipe, data=replace(recipe.data, source=str(data)))
        recipe = replace(recipe, train=replace(recipe.train, **train))  # type: ignore[arg-type]
        for path, value in settings.items():
            recipe = assign(recipe, path, value)
        source = open_data(recipe)
        recipe = adapt_recipe(recipe, source)
        run = Run(self.folder / "run", recipe, PLAN)
        run.write()
        torch.manual_seed(0)
        card = {"recipe": to_dict(recipe), "items": items or recipe.train.images, "classes": list(source.classes)}
        model_file.save(run.model, build(recipe), card)
        rows = [{"step": i, "items": 100 * i, "dropped": dropped * (i > 10), **HEALTHY, **log(i / 29)} for i in range(30)]
        (run.folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        if draws is not None:
            self.monkeypatch.setattr("ganvas.training.doctor_case.sample_chunks", Prompter(draws))
        return run.folder


def points(name: str, count: int = 500) -> Tensor:
    """Other samples of a built-in law than those trained on."""
    return point_source(name, "test").fields["real"][:count]


def digits(count: int = 500, offset: int = 0) -> Tensor:
    """Real test digits in [-1, 1]."""
    return open_source(DataConfig(source="mnist", split="test")).samples(torch.arange(offset, offset + count))["real"]


def faint(images: Tensor) -> Tensor:
    """The images with less contrast: as different from each other as the reals, and far from them."""
    return 0.5 * images - 0.5


def folder_of(path: Path, images: np.ndarray, **labels: np.ndarray) -> Path:
    """uint8 images [N, H, W], and their labels, as an archive that a recipe can train on."""
    path.parent.mkdir(exist_ok=True)
    np.savez(path.with_suffix(".npz"), images=images, **labels)  # type: ignore[arg-type]
    return path.with_suffix(".npz")


def bytes_of(images: Tensor) -> np.ndarray:
    return to_bytes(images).squeeze(1).numpy()


def names(found: list[Finding]) -> list[str]:
    return [finding.name for finding in found]
