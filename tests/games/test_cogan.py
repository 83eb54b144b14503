"""CoGAN: what is shared and what is not, two domains without pairs, and the measure of agreement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support import PLAN, miniature

from ganvas.config import DataConfig
from ganvas.core.capabilities import Couples
from ganvas.core.game import Step
from ganvas.data.computed_domains import CHANGES, extract_edges
from ganvas.data.open import absolute_source, open_source
from ganvas.data.report import inspect
from ganvas.engine.autotune import initial_state
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.evaluate import evaluate
from ganvas.games.cogan import CoGAN, Config
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.sheet import make_sheet
from ganvas.metrics.pixel_agreement import pixel_agreement
from ganvas.utils.settings import to_dict

SMALL = Config(latent_dim=4, width=8, critic_width=8, max_width=8, head=8)


def weights(game: CoGAN) -> tuple[int, int]:
    """How many weights of G and D all domains share."""
    return tuple(sum(p.numel() for p in network.shared.parameters()) for network in (game.G, game.D))  # type: ignore[return-value]


def test_more_shared_layers_share_more_weights() -> None:
    counts = [weights(CoGAN(replace(SMALL, shared_g=n, shared_d=n))) for n in range(4)]
    assert counts[0] == (0, 0)
    assert counts == sorted(counts)
    assert len(set(counts)) == 4
    assert weights(CoGAN(SMALL)) == weights(CoGAN(replace(SMALL, shared_g=3, shared_d=3)))  # all but one
    with pytest.raises(UsageError, match=r"config\.shared_g: expected from 0 to 3, got 4"):
        replace(SMALL, shared_g=4)


def test_the_artists_share_their_first_layers_and_the_critics_their_last() -> None:
    game = CoGAN(SMALL)
    assert [type(layer) for layer in game.G.own[0][0]] == [torch.nn.Conv2d, torch.nn.Tanh]
    assert isinstance(game.D.own[0][0][0], torch.nn.Conv2d)
    assert game.D.own[0][0][0].in_channels == 1
    assert isinstance(game.D.shared[-1], torch.nn.Linear)


def test_a_domain_trains_its_own_layers_only() -> None:
    game = CoGAN(SMALL)
    z, c = torch.randn(6, 4), torch.zeros(6, dtype=torch.int64)
    game.sample(z, c).sum().backward()
    first, second = ([p.grad for p in own.parameters()] for own in game.G.own)
    assert all(bool((grad != 0).any()) for grad in first if grad is not None)
    assert all(grad is None or not grad.any() for grad in second)
    assert all(p.grad is not None for p in game.G.shared.parameters())


def test_shares_of_two_domains_mix_their_pictures() -> None:
    game = CoGAN(SMALL).eval()
    z, c = torch.randn(3, 4), torch.zeros(3, dtype=torch.int64)
    half = game.sample(z, torch.full((3, 2), 0.5))
    torch.testing.assert_close(half, (game.sample(z, c) + game.sample(z, c + 1)) / 2)


def test_the_penalty_reaches_both_domains_critics() -> None:
    recipe, data = miniature("cogan-edges")
    game = initial_state(recipe, PLAN).game
    batch = data.samples(torch.arange(20))
    duel = game.turns()[0].loss.__self__  # type: ignore[attr-defined]
    sum(duel.penalties(batch, Step()).values()).backward()
    for domain in range(10):
        assert game.D.own[domain][0][0].weight.grad.abs().sum() > 0  # type: ignore[union-attr,index]


def test_edges_are_a_ring_round_a_dot() -> None:
    dot = np.zeros((1, 1, 5, 5), np.uint8)
    dot[0, 0, 2, 2] = 200
    ring = np.zeros((5, 5), np.uint8)
    ring[1:4, 1:4] = 200
    ring[2, 2] = 0
    assert np.array_equal(extract_edges(dot)[0, 0], ring)
    assert not extract_edges(np.full((3, 4, 4), 90, np.uint8)).any()


@pytest.mark.parametrize("change", CHANGES)
def test_the_two_domains_come_from_different_pictures(change: str, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (41, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "x.npy", pictures)
    source = open_source(DataConfig(source=f"{change}:{tmp_path / 'x.npy'}"))
    plain = open_source(DataConfig(source=str(tmp_path / "x.npy"))).fields["real"]
    label = source.fields["label"]
    assert source.classes == ("plain", change)
    assert int((label == 0).sum()) == 21
    assert torch.equal(source.fields["real"][label == 0], plain[label == 0])
    changed = CHANGES[change](plain.numpy())
    assert np.array_equal(source.fields["real"][label == 1].numpy(), changed[label == 1])
    assert len(set(label[:10].tolist())) == 2  # at random, not the first and the last
    assert inspect(f"{change}:{tmp_path / 'x.npy'}").classes == {"plain": 21, change: 20}


def test_a_domain_without_pictures_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    for look in (lambda name: open_source(DataConfig(source=name)), inspect):
        with pytest.raises(DataError, match="expected pictures in both halves, found 1, none as edges; add more pictures"):
            look(f"edges:{tmp_path}")
    (tmp_path / "b.png").write_bytes(b"\x89PNG no")
    with pytest.raises(DataError, match=r"found 1, none as (edges|plain)"):
        open_source(DataConfig(source=f"edges:{tmp_path}"))
    Image.new("L", (8, 8)).save(tmp_path / "b.png")
    assert len(open_source(DataConfig(source=f"edges:{tmp_path}"))) == 2


def test_names_of_changed_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    assert absolute_source("edges:here") == f"edges:{tmp_path / 'here'}"
    assert absolute_source("edges:mnist") == "edges:mnist"
    with pytest.raises(DataError, match="ring has none; choose a source of pictures"):
        open_source(DataConfig(source="edges:ring"))
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(DataConfig(source="edgy:mnist"))


def test_agreement_counts_pixels_on_the_same_side_of_grey() -> None:
    first = torch.tensor([[[[0, 100], [200, 255]]], [[[0, 0], [0, 0]]]], dtype=torch.uint8)
    second = torch.tensor([[[[255, 200], [100, 200]]], [[[255, 255], [255, 255]]]], dtype=torch.uint8)
    assert pixel_agreement(first, second, CHANGES["negatives"]).tolist() == [0.75, 1.0]
    with pytest.raises(UsageError, match="one shape"):
        pixel_agreement(first, second[:1], CHANGES["negatives"])


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A bundle of a small model of two domains, before any training."""
    recipe, _ = miniature("cogan-edges")
    recipe = replace(recipe, config=replace(recipe.config, classes=2))
    card = {"recipe": to_dict(recipe), "items": 0, "classes": ["plain", "edges"]}
    model_file.save(tmp_path / "model.safetensors", initial_state(recipe, PLAN).average, card)
    return tmp_path / "model.safetensors"


def test_couples_stand_side_by_side(untrained: Path, tmp_path: Path) -> None:
    model = load(untrained)
    assert isinstance(model.game, Couples)
    four = model.sample(4, seed=7)
    assert np.array_equal(four[2], model.sample(1, seed=8, label="plain")[0])
    assert np.array_equal(four[3], model.sample(1, seed=8, label="edges")[0])
    assert np.array_equal(four[2], four[3])  # all domains begin alike
    model.save(tmp_path / "sheet.png", 16)
    model.interpolate(tmp_path / "walk.gif", [1, 2], 4)
    image = make_sheet(model.game, open_source(DataConfig(source="edges:mnist", split="test")))
    assert image is not None
    assert image.size[0] == image.size[1]  # five noises a column, each in both domains


def test_agreement_is_measured_where_there_are_couples(untrained: Path) -> None:
    report = evaluate(untrained, metrics=["agreement"], samples=200)
    assert set(report.measures) == {"agreement200", "strangers200"}
    assert report.measures["agreement200"].floor == 1
    assert not evaluate(untrained, metrics=["fd"], samples=200).notes
    with pytest.raises(UsageError, match="names other classes than the data"):
        evaluate(untrained, metrics=["requested"], samples=200)
    recipe, data = miniature("cgan-mnist")
    card = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
    model_file.save(untrained, initial_state(recipe, PLAN).average, card)
    with pytest.raises(UsageError, match="agreement needs couples"):
        evaluate(untrained, metrics=["agreement"], samples=200)
