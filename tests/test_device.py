"""What is done with a trained model runs on the device of the model.

PyTorch's meta device stands in for an accelerator: an operation on tensors of two devices raises there as well, and no
GPU is needed. It holds no values, so `devices.to_cpu`, the one way back, is replaced by ones of the same shape.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from support import miniature
from torch import Tensor

from ganvas.core.capabilities import Bounds, Classifies, Conditional, Couples, Encodes, Grows, Samples, Styled, Writes
from ganvas.core.host_number import HostNumber
from ganvas.core.modality import IMAGES, POINTS
from ganvas.data.table import TableDataset
from ganvas.editing.strips import by_mixing, by_resolution, by_truncation
from ganvas.errors import UsageError
from ganvas.evaluation import text, validation
from ganvas.evaluation.accuracy import accuracy
from ganvas.evaluation.generative_classifier import score_classes
from ganvas.evaluation.model_measures import perceptual_path
from ganvas.evaluation.sample_sets import fake_sample_set, to_kept
from ganvas.games import RECIPES
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.inference.feature_extractors import Extractor, apply_to_channels, load_extractor
from ganvas.inference.model import Model, load
from ganvas.latents.seed_latents import latents
from ganvas.metrics.elbo import elbo_terms
from ganvas.runtime import placement
from ganvas.studio.explore.explorer import Explorer
from ganvas.studio.explore.view import View
from ganvas.utils.settings import to_dict

META = torch.device("meta")
EVERY = pytest.mark.parametrize("name", RECIPES)


@pytest.fixture(autouse=True)
def crossings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes that came back to the CPU."""
    shapes: list[tuple[int, ...]] = []

    def to_cpu(x: Tensor) -> Tensor:
        shapes.append(tuple(x.shape))
        return torch.ones(x.shape, dtype=x.dtype) if x.is_meta else x

    monkeypatch.setattr(placement, "to_cpu", to_cpu)
    # A part that must not run in bfloat16 says so by the type of its device; PyTorch has no autocast for meta.
    real = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda kind, **rest: nullcontext() if kind == "meta" else real(kind, **rest))
    # Whether any value is NaN is asked there, before it comes back as bytes: none is.
    ask = Tensor.__bool__
    monkeypatch.setattr(Tensor, "__bool__", lambda x: not x.is_meta and ask(x))
    return shapes


@pytest.fixture
def there(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Model, TableDataset]:
    """The miniature of a recipe, saved, loaded on the other device, and its data.

    A growing game may read its level, a buffer of one number, once after it is loaded.
    """
    recipe, data = miniature(name)
    card: dict[str, Any] = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
    model_file.save(tmp_path / "model.safetensors", build(recipe).eval(), card)
    read = HostNumber.read

    def read_once(number: HostNumber, buffer: Tensor) -> float:
        if buffer.is_meta and (number.buffer is None or number.buffer() is not buffer):
            number._remember(buffer, 0.0)
        return read(number, buffer)

    monkeypatch.setattr(HostNumber, "read", read_once)
    model = load(tmp_path / "model.safetensors", META)
    return model, data


@EVERY
def test_a_bundle_is_loaded_on_a_device(there: tuple[Model, TableDataset]) -> None:
    model, _ = there
    assert model.device == META
    assert {x.device for x in (*model.game.parameters(), *model.game.buffers())} == {META}
    assert not model.game.training


@EVERY
def test_samples_come_back_to_the_cpu(there: tuple[Model, TableDataset], crossings: list[tuple[int, ...]]) -> None:
    model, _ = there
    if not isinstance(model.game, Samples):
        pytest.skip("it draws nothing")
    part, c = next(model.stream(3))
    assert part.device == placement.CPU
    assert part.shape[1:] == model.shape
    assert c is None or c.device == placement.CPU
    assert crossings == [(3, *model.shape)]  # once a chunk
    side = fake_sample_set(model, 3, 0, None)
    assert torch.equal(side.data, to_kept(torch.ones_like(part)))
    if isinstance(model.game, Writes):
        assert len(model.lines(2, temperature=0.5)) == 2


def test_latents_are_those_of_the_cpu() -> None:
    """Seed k is the same latent on any device, so they are drawn on the CPU."""
    assert latents([0], 4).device == placement.CPU


@EVERY
def test_walks_and_looks(there: tuple[Model, TableDataset], tmp_path: Path) -> None:
    model, _ = there
    game = model.game
    if not isinstance(game, Samples):
        pytest.skip("it draws nothing")
    explorer = Explorer(tmp_path / "model.safetensors", META)
    able = explorer.abilities()
    looks = [View(seed=1, label=0 if model.classes else None)]
    if model.modality.grid:
        model.interpolate(tmp_path / "walk.gif", [0, 1], 3)
        looks.append(View(x=0.5))
    if isinstance(game, Styled):
        model.interpolate(tmp_path / "w.gif", [0, 1], 3, where="w")
        looks += [View(psi=0.5), View(mix=3, cut=1)]
        by_truncation(model, [0, 1], model.classes_in_turn(None, 2))
        by_mixing(model, [0, 1], model.classes_in_turn(None, 2))
    if isinstance(game, Grows):
        looks.append(View(resolution=able["resolutions"][0]))
        by_resolution(model, [0, 1], model.classes_in_turn(None, 2))
    for look in looks:
        explorer.picture(look)


@EVERY
def test_codes_and_bounds(there: tuple[Model, TableDataset]) -> None:
    model, data = there
    game, batch = model.game, data.samples(torch.arange(5))
    if isinstance(game, Encodes):
        images = data.fields["real"][:3]
        arrays = images.numpy() if model.modality is POINTS else images.permute(0, 2, 3, 1).numpy()
        codes = model.encode(arrays)
        assert codes.shape == (3, model.drawer.latent_dim)
        if not isinstance(game, Conditional):
            model.decode(codes)
        model.reconstruct(arrays)
    if isinstance(game, Bounds):
        parts = elbo_terms(game, batch["real"], batch["label"] if isinstance(game, Conditional) else None)
        assert all(part.device == placement.CPU for part in parts.values())
    if isinstance(game, Classifies):
        assert accuracy(game.classify, data, device=META) >= 0
    if isinstance(game, Writes):
        assert validation.nats_of(game, batch["text"]).shape == batch["text"].shape
        page = text.TextPage(data.table, data.alphabet)
        text._nats(text.TextSets(page, page, page, page), game)  # type: ignore[arg-type]
    elif "real" in batch:  # two domains have none
        score_classes(game, batch["real"])


@EVERY
def test_validation_of_a_run(there: tuple[Model, TableDataset], monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = there
    monkeypatch.setattr(validation, "LEAST", 40)
    validation.measure(model.game, data)


@EVERY
def test_path_lengths(there: tuple[Model, TableDataset]) -> None:
    model, _ = there
    if not isinstance(model.game, Samples) or model.modality is not IMAGES or isinstance(model.game, Couples):
        pytest.skip("it draws no pictures")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(20 * 20, 3)).to(META)
    network = Extractor("other", net, channels=1, side=20, chunk=8, device=META)
    assert perceptual_path(model, network, 0, pairs=6).value == 0


@pytest.mark.parametrize("name", ["digits", "clothes", "digits-each"])
def test_features_come_back_to_the_cpu(name: str) -> None:
    images = torch.randint(0, 256, (7, 3, 28, 28), dtype=torch.uint8)
    network = load_extractor(name, META)
    found = network.features(images)
    assert (found.device, found.dtype, len(found)) == (placement.CPU, torch.float64, 7)
    if network.classify is not None:
        assert network.logits(images).shape == (7, 10)
    assert apply_to_channels(load_extractor("digits", META)).device == META


@pytest.mark.parametrize("name", ["gan-mnist"])
def test_a_tensor_of_another_device_is_noticed(there: tuple[Model, TableDataset]) -> None:
    """Else none of the tests above would mean anything."""
    with pytest.raises((RuntimeError, NotImplementedError)):
        there[0].drawer.sample(latents([0], there[0].drawer.latent_dim))


def test_an_unknown_device_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'cuda'"):
        load(tmp_path, "gpu")
