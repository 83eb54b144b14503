"""A recipe fits its data: each config says what it takes, and the data decides shape, channels, classes and letters."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import miniatures
import numpy as np
import pytest
import torch
from support import PLAN, miniature

from ganvas.core.capabilities import TakesInputs
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS, Modality
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.errors import DataError, UsageError
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipes import (
    ALSO,
    ARGUMENTS,
    SUGGESTED,
    adapt_recipe,
    modalities_of,
    open_data,
    open_samples,
    require_source,
    resolve_recipe,
)
from ganvas.games.registry import build
from ganvas.inference.model import Model
from ganvas.utils.settings import to_dict

WORDS = {POINTS: "points", IMAGES: "images", VOXELS: "solids", TEXT: "text"}


def small(modality: Modality) -> TableDataset:
    """A few samples of a kind, with labels."""
    label = torch.arange(6) % 2
    match modality.name:
        case "points":
            fields = {"real": torch.randn(6, 3), "label": label}
        case "images":
            fields = {"real": torch.zeros(6, 3, 16, 16, dtype=torch.uint8), "label": label}
        case "voxels":
            fields = {"real": torch.zeros(6, 1, 32, 32, 32, dtype=torch.uint8), "label": label}
        case _:
            return TableDataset("few", {"text": torch.zeros(6, 5, dtype=torch.int64)}, alphabet="abc", vocabulary=4)
    return TableDataset("few", fields, ("one", "two"))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("modality", WORDS, ids=lambda kind: kind.name)
def test_each_recipe_takes_what_it_says_and_refuses_the_rest(name: str, modality: Modality) -> None:
    recipe, data = RECIPES[name], small(modality)
    needs = set(GAMES[recipe.game].needs)
    if modality is IMAGES and issubclass(GAMES[recipe.game], TakesInputs) and not needs <= {"real", "label"}:
        with pytest.raises(DataError, match=rf"{recipe.game} needs the field '.*' \(.*\) and few has real, label"):
            adapt_recipe(recipe, data)
        paired = miniature(name)[1]
        assert all(field in paired.modalities for field in GAMES[recipe.game].needs)
        assert adapt_recipe(recipe, paired).config.resolution == 32
    elif modality in modalities_of(recipe.config):
        if modality is POINTS and getattr(recipe.config, "convolutional", False):
            with pytest.raises(UsageError, match=r"config\.convolutional: points have no convolutions"):
                adapt_recipe(recipe, data)
            return
        config = adapt_recipe(recipe, data).config
        for setting, value in {"channels": 1 if modality is VOXELS else 3, "resolution": data.shape[-1], "classes": 2}.items():
            if hasattr(config, setting) and modality in (IMAGES, VOXELS):
                assert getattr(config, setting) == value
        if modality is TEXT:
            assert (config.length, config.vocabulary, config.alphabet) == (5, 4, "abc")
    else:
        words = rf"{recipe.game} needs .* and few holds {WORDS[modality]} \[N, .*\]; use a {SUGGESTED[modality][:5]}"
        with pytest.raises(DataError, match=words):
            adapt_recipe(recipe, data)


@pytest.mark.parametrize("modality", SUGGESTED, ids=lambda kind: kind.name)
def test_the_suggested_recipes_exist_and_take_the_data(modality: Modality) -> None:
    for words in SUGGESTED[modality].split(" or "):
        names = [name for name in RECIPES if name.startswith(words.removesuffix("..."))]
        assert any(modality in modalities_of(RECIPES[name].config) for name in names)


def test_a_vae_learns_points(tmp_path: Path) -> None:
    """The setting `point` is decided by the data, for recipes of the command line too."""
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(300, 3)))
    recipe = resolve_recipe("vae-mnist", {"config.width": 8}, data=str(tmp_path / "points.npy"))
    data = open_data(recipe)
    recipe = adapt_recipe(recipe, data)
    assert recipe.config.point == 3
    state = initial_state(recipe, PLAN)
    for _, terms in itertools.islice(train(state, data, recipe.train), 3):
        assert all(bool(torch.isfinite(term)) for term in terms.values())
    assert state.average.sample(torch.zeros(2, recipe.config.latent_dim)).shape == (2, 3)  # type: ignore[operator]
    model = Model(state.average, {"recipe": to_dict(recipe), "classes": []}, "0" * 12)
    assert (model.shape, model.modality) == ((3,), POINTS)  # else it could not be measured against its own data
    pixels, _ = miniature("vae-mnist")
    assert adapt_recipe(replace(recipe, config=replace(recipe.config)), small(IMAGES)).config.point == 0
    assert pixels.config.point == 0


def test_a_classifier_takes_points() -> None:
    recipe = adapt_recipe(RECIPES["classifier-mnist"], small(POINTS))
    assert (recipe.config.dims, recipe.config.channels, recipe.config.shift) == (0, 3, 0)
    assert build(recipe).classify(torch.zeros(2, 3)).shape == (2, 2)  # type: ignore[operator]


def test_data_of_another_kind_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "points.npy", np.zeros((300, 2)))
    recipe = resolve_recipe("dcgan-images", data=str(tmp_path / "points.npy"))
    with pytest.raises(DataError, match=r"dcgan needs images and .*points\.npy holds points \[N, 2\]; use a gan-\.\.\. recipe"):
        open_data(recipe)


def test_the_needs_of_the_game_decide_how_data_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)
    monkeypatch.delattr("ganvas.games.recipes.open_source")
    for name in ("miniature-pair", "miniature-cycle", "miniature-puppet"):
        recipe = miniatures.RECIPES[name]
        assert set(open_data(recipe).modalities) == set(GAMES[name].needs)
        with pytest.raises(NameError, match="open_source"):
            open_data(replace(recipe, game="dcgan"))
    with pytest.raises(DataError, match="expected one table of samples, found a, b"):
        open_samples(miniatures.RECIPES["miniature-cycle"])


def test_settings_of_inputs_are_decided_by_the_data() -> None:
    for name in ("legend", "colors", "domains", "source_channels"):
        with pytest.raises(UsageError, match=f"config.{name}: the data decides it"):
            resolve_recipe("dcgan-mnist", {f"config.{name}": "[]"})
    with pytest.raises(UsageError, match=r"data\.crop=64: expected data\.tile, the side it is taken from"):
        open_data(resolve_recipe("dcgan-mnist", {"data.crop": 64, "data.tile": 48}))
    for name in ("tile", "crop"):
        with pytest.raises(UsageError, match=f"data.{name}: expected"):
            resolve_recipe("dcgan-mnist", {f"data.{name}": "-1"})


def test_a_missing_field_is_named() -> None:
    image = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    data = PairedDataset("pairs", {"source": image, "target": image})
    with pytest.raises(DataError, match=r"dcgan needs the field 'real' \(a sample of the data\) and pairs has source, target"):
        adapt_recipe(RECIPES["dcgan-images"], data)


def test_settings_win_over_the_defaults_of_an_objective() -> None:
    """The clip, the number of critic moves and the penalty interval of an objective are defaults that a setting replaces."""
    settings = {"config.rules.n_critic": "2", "config.rules.clip": "0.05"}
    for given in (settings, dict(reversed(settings.items()))):
        rules = resolve_recipe("gan-ring", given, objective="wasserstein").config.rules
        assert (rules.objective, rules.n_critic, rules.clip) == ("wasserstein", 2, 0.05)
    assert (
        resolve_recipe("gan-ring", {"config.rules.penalty_every": "4"}, objective="wasserstein-gp").config.rules.penalty_every
        == 4
    )
    with pytest.raises(UsageError, match=r"config\.rules\.smoothing: expected 1"):
        build(resolve_recipe("cgan-mnist", {"config.rules.smoothing": "0.9"}, objective="hinge")).turns()
    with pytest.raises(UsageError, match="both set the objective; give one of them"):
        resolve_recipe("gan-ring", {"config.rules.objective": "hinge"}, objective="wasserstein")


TWICE = {
    "images": (64, "train.images"),
    "minutes": (1.0, "train.images"),
    "seed": (3, "train.seed"),
    "batch": (8, "train.batch"),
    "precision": ("float32", "train.precision"),
    "balance": ("off", "train.balance"),
    "eval_every": (64, "train.eval_every"),
    "fit": ("pad", "data.fit"),
    "data": ("ring", "data.source"),
    "objective": ("hinge", "config.rules.objective"),
}


def test_every_argument_is_tested_for_contradictions() -> None:
    assert set(TWICE) == {*ARGUMENTS, *ALSO}


@pytest.mark.parametrize("name", TWICE)
def test_a_setting_that_is_given_twice_is_refused(name: str) -> None:
    value, path = TWICE[name]
    resolve_recipe("gan-ring", {}, **{name: value})
    what = {"train.images": "the length of the run", "config.rules.objective": "the objective"}.get(path, path)
    told = f"--{name.replace('_', '-')} and --set {path} both set {what}; give one of them"
    with pytest.raises(UsageError, match=f"^{re.escape(told)}$"):
        resolve_recipe("gan-ring", {path: str(value)}, **{name: value})
    resolve_recipe("gan-ring", {path: str(value)} if name != "minutes" else {}, **{name: None})


@pytest.mark.parametrize(("name", "things"), [("motion-clips", "clips"), ("dcgan-images", "pictures")])
def test_missing_data_are_named(name: str, things: str) -> None:
    with pytest.raises(UsageError, match=f"{name} trains on your own {things}: say where they are"):
        require_source(RECIPES[name])


def test_minutes_and_images_are_one_length() -> None:
    with pytest.raises(UsageError, match="--minutes and --images both set the length"):
        resolve_recipe("gan-ring", minutes=1.0, images=64)
