"""Inversion by gradients: in z of larger pictures and in the styles, it finds the model's own samples and never gets worse."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from support import miniature_model as model
from torch import Tensor

from ganvas.core.capabilities import Styled
from ganvas.editing import code_search, inversion, search_ends
from ganvas.editing.code_search import STALLED
from ganvas.editing.gradient_search import DRAFTED, EVERY, SHOWN_EACH, GradientSearch
from ganvas.editing.inversion import invert, refine
from ganvas.games.fastgan import Config, FastGAN, shrink
from ganvas.inference.model import Model

FAR = 10_000  # seeds that no search starts from


@pytest.fixture
def every_picture_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "SMALL", 0)


@pytest.mark.usefixtures("every_picture_is_large")
@pytest.mark.parametrize(("name", "where"), [("gan-mnist", "z"), ("cgan-mnist", "z"), ("stylegan2-fashion", "w+")])
def test_a_sample_of_the_model_comes_back(name: str, where: str) -> None:
    one = model(name)
    label = 3 if one.classes else None
    targets = torch.cat([part for part, _ in one.stream(2, FAR, label)]).clamp(-1, 1)
    found = invert(one, targets, label, where=where)
    assert found.space == where
    assert (found.errors < 1).all(), found.errors
    if where == "z" and found.classes is not None:
        assert found.classes.tolist() == [3, 3]


@pytest.mark.usefixtures("every_picture_is_large")
@pytest.mark.parametrize(("name", "where"), [("gan-mnist", "z"), ("stylegan2-fashion", "w"), ("stylegan2-fashion", "w+")])
def test_what_is_shown_never_gets_worse_and_z_stays_where_noise_is(name: str, where: str) -> None:
    one, errors = model(name), list[float]()
    target = _noise(one.shape)  # no sample looks like it

    def watch(picture: Tensor) -> None:
        errors.append(float((picture - target[0]).square().mean()))

    found = invert(one, target, where=where, restarts=4, steps=6, watch=watch)
    assert len(errors) > 4
    assert all(after <= before + 1e-6 for before, after in itertools.pairwise(errors))
    assert found.errors <= 127.5 * errors[-1] ** 0.5 + 1e-3  # as stored, it has nothing beyond black and white
    if where == "z":
        assert found.codes.norm() <= one.drawer.latent_dim**0.5 + code_search.OUTSIDE + 1e-4


@pytest.mark.parametrize("where", ["w", "w+"])
def test_it_ends_when_it_is_told_to(where: str) -> None:
    one, shown = model("stylegan2-fashion"), list[Tensor]()
    targets = torch.cat([_noise(one.shape)] * 2)

    def watch(picture: Tensor) -> bool:
        shown.append(picture)
        return len(shown) % 2 == 1  # two steps of each picture

    found = invert(one, targets, where=where, watch=watch)
    assert len(shown) == 4
    assert not found.stopped
    torch.testing.assert_close(found.pictures, torch.stack(shown[1::2]).clamp(-1, 1), rtol=0, atol=1e-4)

    def interrupt(picture: Tensor) -> None:
        raise KeyboardInterrupt

    found = invert(one, targets, where=where, watch=interrupt)
    assert found.stopped
    assert found.pictures.shape == (1, *one.shape)  # the second was not begun


def test_styles_of_each_layer_are_refined_near_where_they_are() -> None:
    one = model("stylegan2-fashion")
    start = invert(one, _noise(one.shape), where="w+", steps=1, restarts=1)
    other = torch.cat([part for part, _ in one.stream(1, FAR)])
    free, held = (refine(one, start, other, hold=hold, steps=6) for hold in (0.0, 10.0))
    assert free.errors < held.errors
    far = [float((each.codes - start.codes).norm()) for each in (free, held)]
    assert 0 < far[1] < far[0]


def test_a_quadratic_is_searched_to_its_minimum() -> None:
    """For a linear generator the error is a quadratic; its minimum is that of least squares."""
    one = model("stylegan2-fashion")
    assert isinstance(one.drawer, Styled)
    search = GradientSearch(one, None, "w+", 1, 40, 0)
    d = 3
    matrix = torch.randn(d, one.shape[0] * one.shape[1] * one.shape[2], generator=torch.Generator().manual_seed(0))
    search.generate = lambda w, _: (w @ matrix).view(-1, *one.shape)
    wanted = _noise(one.shape).flatten()
    exact = torch.linalg.lstsq(matrix.T, wanted[:, None]).solution[:, 0]
    start = torch.ones(1, d)
    seen = (start @ matrix)[0]
    ends = search_ends.Ends(start, torch.zeros(1, dtype=torch.int64), seen[None], (seen - wanted).square().mean()[None])
    found = search._go_down(ends, wanted, 100 // EVERY, None)
    torch.testing.assert_close(found.codes[0], exact, rtol=1e-3, atol=1e-3)


def test_a_start_is_chosen_among_drafts_and_whole_pictures_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    one, whole, shown = _drafting(), list[int](), list[Tensor]()
    sample, choose = one.drawer.sample, GradientSearch._choose_start
    target = sample(torch.randn(1, 6, generator=torch.Generator().manual_seed(1))).detach().clamp(-1, 1)

    def choose_unseen(self: GradientSearch, *given: Any) -> Any:
        before = len(whole)
        best = choose(self, *given)
        assert len(whole) == before
        return best

    invert(one, target, restarts=2, steps=1, watch=shown.append)
    assert {picture.shape for picture in shown} == {(3, 64, 64)}
    monkeypatch.setattr(one.drawer, "sample", lambda z, c=None: whole.append(len(z)) or sample(z, c))
    monkeypatch.setattr(GradientSearch, "_choose_start", choose_unseen)
    found = invert(one, target, restarts=3, steps=3)
    assert whole
    assert found.errors < 0.1


def test_few_of_the_steps_among_drafts_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    one, shown, taken, patience = _drafting(), list[Tensor](), list[int](), list[float]()
    go_down = GradientSearch._go_down

    def count(self: GradientSearch, start: Any, wanted: Any, steps: int, show: Any, stalled: float = STALLED) -> Any:
        patience.append(stalled)
        counted = show and (lambda end: (taken.append(0), show(end))[1])
        return go_down(self, start, wanted, steps, counted, stalled)

    monkeypatch.setattr(GradientSearch, "_go_down", count)
    monkeypatch.setattr(GradientSearch, "_come_near", lambda self, best, *_: best)
    found = invert(one, _noise(one.shape), restarts=3, steps=4, watch=shown.append)
    assert len(shown) == math.ceil(len(taken) / SHOWN_EACH) > 1
    patience.clear()
    monkeypatch.undo()
    monkeypatch.setattr(GradientSearch, "_go_down", count)
    refine(one, found, _noise(one.shape), steps=1)
    invert(one, _noise(one.shape), restarts=1, steps=1)
    assert patience[0] == STALLED  # no drafts come before it
    assert patience[-1] == DRAFTED


def test_pixels_that_do_not_count_do_not_count_in_drafts() -> None:
    one = _drafting()
    target, weights = _noise(one.shape), torch.zeros(64, 64)
    weights[8:, 20:] = 1
    spoiled = torch.where(weights > 0, target, 1.0)
    search = GradientSearch(one, None, "z", 2, 2, 0, weights)
    assert search.drafts is not None
    known = search.drafts.weights
    assert known is not None
    torch.testing.assert_close(known.square().mean(), torch.tensor(1.0))
    seen = [search.drafts._shrink(each).flatten() * known for each in (target[0], spoiled[0])]
    torch.testing.assert_close(*seen)
    plain = GradientSearch(one, None, "z", 2, 2, 0).drafts
    assert plain is not None
    torch.testing.assert_close(plain._shrink(target[0]), shrink(target, 32)[0])


def test_a_search_among_drafts_ends_when_it_is_told_to() -> None:
    one, shown = _drafting(), list[Tensor]()
    targets = torch.cat([_noise(one.shape)] * 2)

    def watch(picture: Tensor) -> bool:
        shown.append(picture)
        return False

    found = invert(one, targets, watch=watch)
    assert len(shown) == len(found.codes) == 2  # the end of one search is not that of the next
    assert not found.stopped
    torch.testing.assert_close(found.pictures, torch.stack(shown).clamp(-1, 1), rtol=0, atol=1e-4)

    def interrupt(picture: Tensor) -> None:
        raise KeyboardInterrupt

    found = invert(one, targets, watch=interrupt)
    assert found.stopped
    assert found.pictures.shape == (1, *one.shape)


def _drafting() -> Model:
    torch.manual_seed(0)
    made = FastGAN(Config(width=4, max_width=8, latent_dim=6, head=8, pretrained=False)).eval()
    return Model(made, {"recipe": {"name": "fastgan-images"}, "classes": []}, "0" * 12)


def _noise(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
