"""Inversion: a model's own sample comes back; the search starts, stops and refuses as it says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support import miniature_model as model
from torch import Tensor

from ganvas.editing import code_search, search_ends
from ganvas.editing.inversion import invert, refine
from ganvas.errors import UsageError
from ganvas.inference.batches import sample_chunks
from ganvas.latents.seed_latents import latents

FAR = 10_000  # seeds that no search starts from


def own_samples(one: Any, n: int, label: int | None = None) -> Tensor:
    """Samples of the model that no search starts from, as they are stored."""
    return torch.cat([part for part, _ in one.stream(n, FAR, label)]).clamp(-1, 1)


@pytest.mark.parametrize(("name", "where"), [("cgan-mnist", None), ("gan-mnist", None), ("stylegan2-fashion", "w")])
def test_a_sample_of_the_model_comes_back(name: str, where: str | None) -> None:
    one = model(name)
    label = 3 if one.classes else None
    targets = own_samples(one, 3, label)
    found = invert(one, targets, label, where=where)
    assert found.space == (where or "z")
    assert (found.errors < 1).all(), found.errors
    assert ((found.pictures - targets).abs() * 127.5 > 8).float().mean() < 0.01
    assert found.classes is None if label is None else found.classes.tolist() == [3] * 3  # type: ignore[union-attr]
    c = None if label is None or where == "w" else found.classes
    assert torch.equal(one.space(found.space, label).pictures(found.codes, c).clamp(-1, 1), found.pictures)


def test_what_is_beyond_black_and_white_comes_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored picture ends at black and white, and the generator does not: its sample is found exactly all the same."""
    one = model("stylegan2-fashion")
    synthesize = one.drawer.synthesize  # type: ignore[attr-defined]
    size = float(own_samples(one, 4).abs().mean())
    monkeypatch.setattr(one.drawer, "synthesize", lambda w, noise=None: synthesize(w, noise) / size)
    sample = one.space("w").pictures(one.space("w").of_seeds([FAR], None), None)
    assert (sample.abs() > 1).float().mean() > 0.1
    found = invert(one, sample, where="w")
    assert found.errors < 0.5
    assert found.pictures.abs().max() <= 1
    torch.testing.assert_close(found.pictures, sample.clamp(-1, 1), rtol=0, atol=0.03)


def test_a_search_ends_where_two_starts_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    one, attempts = model("gan-mnist"), list[int]()
    descend = code_search.Search._descend

    def count(self: code_search.Search, *given: Any) -> Any:
        attempts.append(len(given[0].errors))
        return descend(self, *given)

    monkeypatch.setattr(code_search.Search, "_descend", count)
    noise = torch.randn(1, *one.shape, generator=torch.Generator().manual_seed(0))
    found = invert(one, own_samples(one, 1) + 0.02 * noise)  # near, but never exact
    assert code_search.EXACT < found.errors < code_search.NEAR
    assert len(attempts) == 1


def test_styles_of_each_layer_come_nearer_than_one_style() -> None:
    one = model("stylegan2-fashion")
    target = torch.rand(1, *one.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    flat, wide = (invert(one, target, restarts=2, steps=4, where=where) for where in ("w", "w+"))
    styles, d = one.drawer.styles, one.drawer.latent_dim  # type: ignore[attr-defined]
    assert (wide.space, wide.codes.shape) == ("w+", (1, styles, d))
    assert wide.errors < flat.errors
    assert torch.equal(one.space("w").pictures(wide.codes, None).clamp(-1, 1), wide.pictures)
    with pytest.raises(UsageError, match="no styles w"):
        invert(model("gan-mnist"), target[:, :1], where="w+")


def test_an_encoder_is_asked_first() -> None:
    one = model("vae-mnist")
    target = own_samples(one, 1)
    search = code_search.Search(one, None, "z", 4, 1, 0)
    codes, c, pictures = search._list_starts(target[0])
    assert len(codes) == len(c) == len(pictures) == len(search.codes) + 1
    torch.testing.assert_close(codes[-1:], one.game.encode(target))


def test_pixels_that_do_not_count_may_be_anything() -> None:
    one = model("gan-mnist")
    own = own_samples(one, 1)
    spoiled = own.clone()
    spoiled[..., :10] = 1
    weights = torch.ones(28, 28)
    weights[:, :10] = 0
    found = invert(one, spoiled, weights=weights)
    assert found.errors < 1
    assert ((found.pictures - own).abs() * 127.5).mean() < 2  # the rest of the picture says what was there
    assert invert(one, spoiled).errors > 10


def test_refine_stays_near_where_it_starts() -> None:
    one = model("gan-mnist")
    start, other = (invert(one, own_samples(one, 2)[i : i + 1], restarts=4) for i in range(2))
    free, held = (refine(one, start, other.pictures, hold=hold, steps=10) for hold in (0.0, 10.0))
    assert free.errors < held.errors < start_error(start.pictures, other.pictures)
    far = [float((each.codes - start.codes).norm()) for each in (free, held)]
    assert 0 < far[1] < 0.8 * far[0]
    with pytest.raises(UsageError, match="one code and one target"):
        refine(one, start, torch.cat([other.pictures] * 2))


def test_refine_keeps_the_space_and_the_class() -> None:
    one, styled = model("cgan-mnist"), model("stylegan2-fashion")
    start = invert(one, own_samples(one, 1, 3), 3, steps=2)
    assert refine(one, start, own_samples(one, 2, 3)[1:], steps=2).classes.tolist() == [3]  # type: ignore[union-attr]
    start = invert(styled, own_samples(styled, 1), where="w+", steps=2, restarts=2)
    end = refine(styled, start, own_samples(styled, 2)[1:], steps=2)
    assert (end.space, end.codes.shape) == ("w+", start.codes.shape)


def start_error(pictures: Tensor, targets: Tensor) -> Tensor:
    return 127.5 * (pictures - targets).square().mean().sqrt()


@pytest.mark.parametrize(
    "weights", [torch.ones(14, 28), torch.zeros(28, 28), -torch.ones(28, 28), torch.full((28, 28), torch.nan)]
)
def test_wrong_weights(weights: Tensor) -> None:
    one = model("gan-mnist")
    with pytest.raises(UsageError, match="weights: expected numbers from 0"):
        invert(one, own_samples(one, 1), weights=weights)


def test_the_class_is_found_too() -> None:
    one = model("cgan-mnist")
    targets = torch.cat([own_samples(one, 1, digit) for digit in (2, 7)])
    found = invert(one, targets)
    assert found.classes is not None
    assert found.classes.tolist() == [2, 7]
    assert (found.errors < 1).all()


def test_a_step_is_that_of_least_squares() -> None:
    """For a linear generator one step is the exact answer (Gauss and Newton)."""
    one = model("gan-mnist")
    search = code_search.Search(one, None, "z", 1, 1, 0)
    matrix = torch.randn(one.drawer.latent_dim, 784, generator=torch.Generator().manual_seed(0))
    search.generate = lambda z, _: (z @ matrix).view(-1, *one.shape)
    z, other = latents([1, 2], one.drawer.latent_dim).split(1)
    wanted = (other @ matrix).flatten()
    pictures = z @ matrix
    start = search_ends.Ends(z, torch.zeros(1, dtype=torch.int64), pictures, (pictures - wanted).square().mean(1))
    end = search._step(start, wanted)
    torch.testing.assert_close(end.codes, other, rtol=0.02, atol=0.02)
    assert end.errors < 1e-3 * start.errors


def test_no_step_makes_it_worse_and_z_stays_where_noise_is() -> None:
    one = model("gan-mnist")
    target = torch.rand(1, *one.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1  # no sample looks like it
    errors: list[float] = []

    def watch(picture: Tensor) -> None:
        errors.append(float((picture - target[0]).square().mean()))

    found = invert(one, target, restarts=4, steps=12, watch=watch)
    assert errors == sorted(errors, reverse=True)
    assert found.codes.norm() <= one.drawer.latent_dim**0.5 + code_search.OUTSIDE + 1e-4


def test_what_is_shown_never_gets_worse_over_all_attempts() -> None:
    one, errors = model("gan-mnist"), list[float]()
    target = own_samples(one, 1) + 0.04 * torch.randn(1, *one.shape, generator=torch.Generator().manual_seed(0))

    def watch(picture: Tensor) -> None:
        errors.append(float((picture - target[0]).square().mean()))

    invert(one, target, restarts=1, steps=6, watch=watch)  # near, but never exact, and one start has none to agree with
    assert len(errors) > 6
    assert errors == sorted(errors, reverse=True)


def test_a_search_that_is_stopped_keeps_the_best() -> None:
    one, shown = model("gan-mnist"), list[Tensor]()
    targets = torch.rand(2, *one.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1  # no sample looks like them

    def watch(picture: Tensor) -> bool:
        shown.append(picture)
        return len(shown) % 2 == 1  # two steps of each

    found = invert(one, targets, watch=watch)
    assert len(shown) == 4
    assert not found.stopped
    torch.testing.assert_close(found.pictures, torch.stack(shown[1::2]), rtol=0, atol=1e-4)

    def interrupt(picture: Tensor) -> None:
        raise KeyboardInterrupt

    found = invert(one, targets, watch=interrupt)
    assert found.stopped
    assert found.pictures.shape == (1, *one.shape)  # the second was not begun


def test_the_same_answer_twice() -> None:
    one = model("gan-mnist")
    target = own_samples(one, 1)
    first, second = (invert(one, target, steps=5).codes for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("gan-mnist", {"where": "w"}, "no styles w"),
        ("gan-mnist", {"where": "v"}, "space"),
        ("gan-mnist", {"label": 3}, "without classes"),
        ("gan-mnist", {"restarts": 0}, "restarts"),
        ("gan-mnist", {"steps": 0}, "steps"),
        ("gan-ring", {}, "needs images"),
        ("voxel-shapes", {}, "needs images"),
        ("textgan-names", {}, "generates text"),
        ("classifier-mnist", {}, "generates nothing"),
    ],
)
def test_wrong_requests(name: str, given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        invert(model(name), torch.zeros(1, 1, 28, 28), **given)


def test_targets_of_another_size() -> None:
    with pytest.raises(UsageError, match=r"expected shape \[n, 1, 28, 28\] .* got \[1, 3, 28, 28\]"):
        invert(model("gan-mnist"), torch.zeros(1, 3, 28, 28))


def test_samples_have_the_bits_of_any_batch() -> None:
    one = model("cgan-mnist")
    found = invert(one, own_samples(one, 1, 3), 3, steps=2)
    again = sample_chunks(one.drawer, found.codes, found.classes)
    assert torch.equal(again, found.pictures)
