"""Pictures of any size: parts of an axis, tiles that equal the whole, short memory, results that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from translators import LOCAL, make_translator

from ganvas.core.modality import Batch
from ganvas.errors import DataError, GanvasWarning, ResourceError, UsageError
from ganvas.inference import tiles
from ganvas.inference.picture_translation import Way, list_ways, translate_along
from ganvas.inference.tiles import Span, compute_any_size, continue_to_multiple, split_axis


def way_of(name: str) -> Way:
    """The first way of a small model."""
    return list_ways(make_translator(name).game)[0]


def noise(height: int, width: int, channels: int = 3) -> np.ndarray[Any, Any]:
    """A random picture without extreme levels."""
    return np.random.default_rng(height).integers(60, 196, (height, width, channels), np.uint8)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 400), room=st.integers(1, 30), margin=st.integers(0, 14), multiple=st.sampled_from((1, 2, 8)))
def test_parts_cover_an_axis_and_see_enough(length: int, room: int, margin: int, multiple: int) -> None:
    length, margin = length * multiple, margin * multiple
    side = 2 * margin + room * multiple
    spans = split_axis(length, side, margin, multiple)
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])]
    assert spans[-1].end == length
    for span in spans:
        assert span.seen_end - span.seen_start <= side
        assert span.seen_start == max(0, span.start - margin) or len(spans) == 1
        assert span.seen_end == min(length, span.end + margin) or len(spans) == 1
        assert not any(edge % multiple for edge in span)


def test_a_tile_needs_room_between_its_margins() -> None:
    assert split_axis(16, 16, 8, 8) == [Span(0, 16, 0, 16)]
    with pytest.raises(UsageError, match="tile: expected at least 24 pixels for this model, got 16"):
        split_axis(64, 16, 8, 8)


@pytest.mark.parametrize("name", LOCAL)
def test_tiles_equal_the_whole(name: str) -> None:
    """On sides that cannot be halved; with a margin that is too small they would not."""
    way = way_of(name)
    side = 96 if way.game.reach and way.game.reach < 40 else 248
    picture = noise(side + 37, side + 59)
    whole = translate_along(way, picture).astype(int)
    assert whole.shape == (picture.shape[0] * way.scale, picture.shape[1] * way.scale, 3)
    assert len(np.unique(whole)) > 50
    tiled = translate_along(way, picture, tile=side).astype(int)
    assert np.abs(tiled - whole).max() <= 1


def test_too_small_a_margin_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    way, picture = way_of("filters"), noise(101, 123)
    monkeypatch.setattr(type(way.game), "reach", 4)
    tiled = translate_along(way, picture, tile=64).astype(int)
    assert np.abs(tiled - translate_along(way, picture).astype(int)).max() > 1


@pytest.mark.parametrize("name", LOCAL)
def test_declared_reach_is_the_true_one(name: str) -> None:
    """The gradient of output pixels at every phase of the grid, along one axis."""
    way = way_of(name)
    game, multiple, scale = way.game.double(), way.game.multiple, way.scale
    reach = way.game.reach
    assert reach is not None
    length = -(-(2 * reach + 40) // multiple) * multiple
    found = 0
    for phase in range(multiple * scale):
        x = torch.rand(1, 3, multiple, length, dtype=torch.float64, requires_grad=True)
        at = (length // 2 // multiple * multiple) * scale + phase
        y = game.P(x) if scale > 1 else (game.G if hasattr(game, "G") else game.G_ab)(x)
        (grad,) = torch.autograd.grad(y[..., at].sum(), x)
        seen = grad.abs().sum((0, 1, 2)).nonzero()[:, 0]
        found = max(found, int((seen - at // scale).abs().max()))
    assert reach - 8 <= found <= reach


def test_sides_are_continued_by_their_mirror_image() -> None:
    x = np.arange(6, dtype=np.uint8).reshape(1, 1, 2, 3)
    assert continue_to_multiple(x, 4)[0, 0].tolist() == [[0, 1, 2, 1], [3, 4, 5, 4], [0, 1, 2, 1], [3, 4, 5, 4]]
    assert continue_to_multiple(x[..., :1, :1], 4).shape == (1, 1, 4, 4)
    assert continue_to_multiple(x, 1) is x


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (432, 7), (3, 1072)])
def test_any_side_is_taken(size: tuple[int, int]) -> None:
    for name in ("pix2pix", "srgan"):
        way = way_of(name)
        assert translate_along(way, noise(*size)).shape == (size[0] * way.scale, size[1] * way.scale, 3)


def test_short_memory_makes_smaller_tiles() -> None:
    way, seen = way_of("filters"), []

    def compute(batch: Batch) -> torch.Tensor:
        seen.append(batch["source"].shape[2:].numel())
        if seen[-1] > 100_000:
            raise torch.OutOfMemoryError
        return way.compute(batch, None)

    x = noise(400, 410).transpose(2, 0, 1)[None]
    with pytest.warns(GanvasWarning, match="memory is short: tiles have 256 pixels now"):
        found = compute_any_size(way.game, compute, {"source": x}, side=512)
    assert seen[0] == 400 * 410
    assert max(seen[1:]) <= 256 * 256
    assert np.array_equal(found, compute_any_size(way.game, lambda b: way.compute(b, None), {"source": x}))


def test_memory_that_is_never_enough_is_one_line() -> None:
    def compute(batch: Batch) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    x = {"source": noise(16, 16).transpose(2, 0, 1)[None]}
    with pytest.raises(ResourceError, match="16 x 16 pixels: out of memory"), pytest.warns(GanvasWarning):
        compute_any_size(way_of("filters").game, compute, x)


def test_other_errors_pass() -> None:
    def compute(batch: Batch) -> torch.Tensor:
        raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="shapes"):
        compute_any_size(way_of("filters").game, compute, {"source": noise(16, 16).transpose(2, 0, 1)[None]})


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_result_that_is_not_finite_is_refused(bad: float) -> None:
    x = {"source": noise(16, 16).transpose(2, 0, 1)[None]}
    with pytest.raises(DataError, match="not finite: the model has diverged"):
        compute_any_size(way_of("filters").game, lambda batch: batch["source"] * bad, x)


def test_too_large_results_are_refused_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "MOST_PIXELS", 1_000)
    with pytest.raises(UsageError, match=r"the result has 40 x 40 pixels; expected at most 1,000 pixels"):
        translate_along(way_of("srgan"), noise(20, 20))


def test_a_game_that_needs_the_whole_picture_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    way = way_of("filters")
    monkeypatch.setattr(type(way.game), "reach", None)
    assert translate_along(way, noise(64, 70), tile=64).shape == (64, 70, 3)
    with pytest.raises(UsageError, match="this model looks at the whole picture, up to about 64 x 64 pixels"):
        translate_along(way, noise(64, 90), tile=64)
