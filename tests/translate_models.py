"""Models of each kind for the tests of the page /translate: untrained; one makes pictures darker by a known amount."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from support import miniature

from ganvas.data.builtin.earth import read_legend
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.utils.settings import to_dict

OWN = ((0, 0, 0), (9, 9, 99), (0, 99, 9))  # colors of somebody's own classes
DARKER = 64  # levels of 255, by which the model "filter" makes a picture darker


def save(runs: Path, name: str, recipe_name: str, **config: Any) -> None:
    """A run folder with an untrained model of a recipe."""
    recipe, _ = miniature(recipe_name)
    recipe = replace(recipe, config=replace(recipe.config, **config))
    torch.manual_seed(3)
    game: Any = build(recipe).eval()
    if name == "filter":
        with torch.no_grad():
            game.G.steps[-1][-1].bias.fill_(-DARKER / 127.5)  # the network is the input and this change
    if name == "cycle":
        with torch.no_grad():
            game.G_ba.end[-1].bias.fill_(-0.5)  # the way back is a change too; untrained it is none
    folder = runs / name
    folder.mkdir(parents=True)
    model_file.save(folder / "model.safetensors", game, {"recipe": to_dict(recipe), "items": 0, "classes": []})
    (folder / "recipe.json").write_text(json.dumps(to_dict(recipe)))


def furnish(runs: Path) -> None:
    """One model of each kind, and one that samples from noise."""
    names, colors = read_legend()
    save(runs, "painter", "spade-earth", resolution=64, classes=len(names), legend=names, colors=colors)
    save(
        runs,
        "own-maps",
        "spade-images",
        classes=3,
        legend=("road", "house", "tree"),
        colors=OWN,
    )
    save(runs, "shader", "pix2pix-emoji", domains=("flat", "shaded"))
    save(runs, "cycle", "cyclegan-emoji", domains=("flat", "shaded"))
    save(runs, "filter", "filter-sketch", domains=("photo", "sketch"), keeps_grey=False)
    save(runs, "larger", "sr-photos")
    save(runs, "filler", "inpaint-photos")  # untrained it is a smooth filling
    save(runs, "noise", "cgan-mnist")
