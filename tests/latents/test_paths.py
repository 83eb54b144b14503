"""Paths in latent space have the algebra that their films rely on."""

from __future__ import annotations

import math
import time

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.latents.paths import class_path, closed_path, combine, latent_plane, scale_to_norm
from ganvas.latents.seed_latents import latent, latents, truncated_latents
from ganvas.utils.interpolation import lerp, slerp

share = st.floats(0, 1)
keys = st.integers(1, 6)
frames = st.integers(1, 40)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Two Gaussian latents, float64, in general position."""
    first, second = draw(st.lists(st.integers(0, 10_000), min_size=2, max_size=2, unique=True))
    a, b = latents([first, second], draw(st.integers(3, 64))).double()
    return a, b


def angle(a: Tensor, b: Tensor) -> float:
    cosine = (a @ b / (a.norm() * b.norm())).item()
    return math.acos(max(-1.0, min(1.0, cosine)))


@given(pairs(), share)
def test_slerp_keeps_the_norm_and_divides_the_angle(pair: tuple[Tensor, Tensor], t: float) -> None:
    a, b = pair[0], pair[1] * pair[0].norm() / pair[1].norm()
    middle = slerp(a, b, t)
    assert middle.norm().item() == pytest.approx(a.norm().item())
    assert angle(a, middle) == pytest.approx(t * angle(a, b), abs=1e-6)


@given(pairs(), share)
def test_slerp_and_lerp_start_at_a_end_at_b_and_reverse(pair: tuple[Tensor, Tensor], t: float) -> None:
    a, b = pair
    for blend in (slerp, lerp):
        assert torch.equal(blend(a, b, 0.0), a)
        assert torch.equal(blend(a, b, 1.0), b)
        torch.testing.assert_close(blend(a, b, t), blend(b, a, 1 - t))


@given(pairs(), st.floats(0.1, 3), share)
def test_slerp_scales_and_turns_with_its_ends(pair: tuple[Tensor, Tensor], scale: float, t: float) -> None:
    a, b = pair
    torch.testing.assert_close(slerp(scale * a, scale * b, t), scale * slerp(a, b, t))
    torch.testing.assert_close(slerp(a.flip(0), b.flip(0), t), slerp(a, b, t).flip(0))


def test_slerp_at_a_right_angle() -> None:
    """Half way from (1, 0) to (0, 1) is (1, 1) / sqrt 2; a third of the way is at 30 degrees."""
    a, b = torch.eye(2, dtype=torch.float64)
    assert slerp(a, b, 0.5).tolist() == pytest.approx([math.sqrt(0.5), math.sqrt(0.5)])
    assert slerp(a, b, 1 / 3).tolist() == pytest.approx([math.sqrt(0.75), 0.5])


@given(pairs(), share)
def test_slerp_is_a_line_where_there_is_no_arc(pair: tuple[Tensor, Tensor], t: float) -> None:
    a, _ = pair
    for b in (a, 2 * a, -a, torch.zeros_like(a), a * (1 + 1e-9)):
        torch.testing.assert_close(slerp(a, b, t), lerp(a, b, t))
        torch.testing.assert_close(slerp(b, a, t), lerp(b, a, t))


@pytest.mark.parametrize("bend", [1e-7, 1e-5, 1e-4, 1e-3])
def test_slerp_does_not_jump_where_the_line_takes_over(bend: float) -> None:
    a = torch.tensor([1.0, 0.0, 0.0])
    b = torch.tensor([1.0, bend, 0.0])
    torch.testing.assert_close(slerp(a, b, 0.3), lerp(a, b, 0.3), atol=1e-6, rtol=0)


def test_a_share_for_each_row() -> None:
    a, b = latents([1, 2], 8), latents([3, 4], 8)
    for blend in (slerp, lerp):
        rows = blend(a, b, torch.tensor([0.25, 0.75]))
        torch.testing.assert_close(rows, torch.stack([blend(a[0], b[0], 0.25), blend(a[1], b[1], 0.75)]))
        fan = blend(a[0], b[0], torch.linspace(0, 1, 5))
        assert fan.shape == (5, 8)
        assert torch.equal(fan[4], b[0])


@given(keys, frames)
def test_a_loop_starts_at_the_first_key_and_meets_every_key_it_has_frames_for(n: int, count: int) -> None:
    points = latents(range(n), 5)
    film = closed_path(points, count * n)
    assert film.shape == (count * n, 5)
    assert torch.equal(film[::count], points)
    assert torch.equal(closed_path(points, count)[0], points[0])


@given(st.integers(2, 6), st.integers(2, 40))
def test_a_loop_moves_evenly_and_closes(n: int, count: int) -> None:
    """Keys at right angles: every frame is as far along its arc as its number says, and after the last comes the first."""
    film = closed_path(torch.eye(n, dtype=torch.float64), count)
    for frame, z in enumerate(film):
        key, turn = divmod(frame * n, count)
        expected = torch.zeros(n, dtype=torch.float64)
        expected[key], expected[(key + 1) % n] = math.cos(turn / count * math.pi / 2), math.sin(turn / count * math.pi / 2)
        torch.testing.assert_close(z, expected)


@given(st.integers(3, 6), st.integers(7, 40))
def test_a_loop_never_stands_still_or_leaps(n: int, count: int) -> None:
    film = closed_path(latents(range(n), 64).double(), count)
    steps = (film - film.roll(-1, 0)).norm(dim=1)
    longest = (math.pi / 2 + 0.6) * 12 * n / count  # an arc of at most 125 degrees at a radius of at most 12
    assert steps.min() > 0
    assert steps.max() < longest


def test_one_key_stands_still() -> None:
    key = latents([7], 4)
    assert torch.equal(closed_path(key, 3), key.expand(3, 4))
    assert class_path([2], 3, 4).tolist() == [[0, 0, 1, 0]] * 3


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), frames)
def test_class_weights_are_shares_and_one_hot_at_the_keys(classes: list[int], count: int) -> None:
    path = class_path(classes, count * len(classes), 5)
    torch.testing.assert_close(path.sum(1), torch.ones(len(path)))
    assert (path >= 0).all()
    assert ((path > 0).sum(1) <= 2).all()
    assert path[::count].argmax(1).tolist() == classes
    assert (path[::count].max(1).values == 1).all()


def test_class_weights_between_two_classes() -> None:
    assert class_path([0, 2], 4, 3).tolist() == [[1, 0, 0], [0.5, 0, 0.5], [0, 0, 1], [0.5, 0, 0.5]]


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20), st.integers(1, 70))
def test_a_latent_depends_on_its_seed_alone(seeds: list[int], dim: int) -> None:
    z = latents(seeds, dim)
    assert z.shape == (len(seeds), dim)
    for row, seed in zip(z, seeds, strict=True):
        assert torch.equal(row, latent(seed, dim))
        assert torch.equal(row, torch.randn(dim, generator=torch.Generator().manual_seed(seed)))


def test_drawing_latents_leaves_the_global_randomness_alone() -> None:
    before = torch.get_rng_state()
    latents(range(5), 8)
    assert torch.equal(torch.get_rng_state(), before)


def test_latents_of_neighbouring_seeds_are_standard_normal_and_independent() -> None:
    """4,000 rows: means within 5 standard errors (0.08), covariances within 0.12 of the identity, neighbours unrelated."""
    z = latents(range(4000), 16)
    assert z.mean(0).abs().max() < 5 / math.sqrt(4000)
    assert (z.T @ z / 4000 - torch.eye(16)).abs().max() < 0.12
    assert (z[1:].T @ z[:-1] / 3999).abs().max() < 0.09


def test_many_latents_are_fast() -> None:
    """About 10 us each on the reference machine; twenty-five times that is a fault."""
    start = time.perf_counter()
    latents(range(2000), 128)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: latent(-1, 4), "seed: expected a whole number from 0 to 4,294,967,295, got -1"),
        (lambda: latents([1, 2**32], 4), f"seed: expected a whole number from 0 to 4,294,967,295, got {2**32}"),  # as 0 has
        (lambda: closed_path(torch.zeros(0, 4), 3), "loop: expected key latents [K, d] with K at least 1, got shape [0, 4]"),
        (lambda: closed_path(torch.zeros(4), 3), "loop: expected key latents [K, d] with K at least 1, got shape [4]"),
        (lambda: closed_path(torch.zeros(2, 4), 0), "frames: expected at least 1, got 0"),
        (lambda: class_path([], 3, 10), "class path: expected classes from 0 to 9, got []"),
        (lambda: class_path([1, 10], 3, 10), "class path: expected classes from 0 to 9, got [1, 10]"),
        (lambda: class_path([1], -2, 10), "frames: expected at least 1, got -2"),
    ],
)
def test_a_wrong_request_is_one_clear_line(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError) as error:
        call()
    assert str(error.value) == message


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=5, unique=True), st.floats(0.01, 3))
def test_truncation_keeps_what_lies_within_and_draws_the_rest_again(seeds: list[int], limit: float) -> None:
    z, plain = truncated_latents(seeds, 40, limit), latents(seeds, 40)
    assert z.abs().max() <= limit
    assert torch.equal(z[plain.abs() <= limit], plain[plain.abs() <= limit])
    assert torch.equal(z[-1], truncated_latents(seeds[-1:], 40, limit)[0])


def test_a_wide_limit_truncates_nothing() -> None:
    assert torch.equal(truncated_latents(range(50), 20, 9.0), latents(range(50), 20))


def test_truncated_latents_follow_the_truncated_normal() -> None:
    """60,000 values: against the distribution function, Kolmogorov-Smirnov, at a level of 1 in 10,000."""
    limit = 0.8
    values = truncated_latents(range(600), 100, limit).double().flatten().numpy()
    assert scipy.stats.kstest(values, scipy.stats.truncnorm(-limit, limit).cdf).pvalue > 1e-4


@given(st.integers(0, 1000), st.integers(2, 7))
def test_a_plane_has_its_three_codes_at_its_corners(seed: int, side: int) -> None:
    a, b, c = latents(range(seed, seed + 3), 16).double()
    for straight in (False, True):
        square = latent_plane(a, b, c, side, straight).unflatten(0, (side, side))
        for corner, expected in ((square[0, 0], a), (square[0, -1], b), (square[-1, 0], c)):
            torch.testing.assert_close(corner, expected)
        mirrored = latent_plane(a, c, b, side, straight).unflatten(0, (side, side))
        torch.testing.assert_close(square[0], mirrored[:, 0])
        torch.testing.assert_close(square[:, 0], mirrored[0])
    torch.testing.assert_close(square[-1, -1], b + c - a)


@given(st.integers(0, 1000))
def test_between_codes_of_one_length_a_plane_keeps_it(seed: int) -> None:
    a, b, c = scale_to_norm(latents(range(seed, seed + 3), 16).double(), 4.0)
    torch.testing.assert_close(latent_plane(a, b, c, 5).norm(dim=1), torch.full((25,), 4.0, dtype=torch.float64))


@given(st.integers(0, 1000), st.booleans())
def test_arithmetic_takes_away_what_it_added(seed: int, straight: bool) -> None:
    a, b = latents(range(seed, seed + 2), 16).double()[:, None]
    torch.testing.assert_close(combine([(1, a), (-1, b), (1, b)], straight), a[0])
    torch.testing.assert_close(combine([(1, a)], straight), a[0])


@given(st.integers(0, 1000), st.integers(1, 5))
def test_arithmetic_on_means_stays_on_the_sphere(seed: int, k: int) -> None:
    a, b, c = latents(range(seed, seed + 3 * k), 16).double().chunk(3)
    result = combine([(1, a), (-1, b), (1, c)])
    assert result.norm().item() == pytest.approx(a.norm(dim=1).mean().item())
    torch.testing.assert_close(combine([(1, a), (-1, b), (1, c)], straight=True), a.mean(0) - b.mean(0) + c.mean(0))


@given(keys, frames)
def test_a_straight_loop_is_made_of_lines(n: int, count: int) -> None:
    points = latents(range(n), 5)
    film = closed_path(points, 2 * count * n, straight=True)
    assert torch.equal(film[:: 2 * count], points)
    torch.testing.assert_close(film[count :: 2 * count], (points + points.roll(-1, 0)) / 2)


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan])
def test_a_limit_is_above_zero(limit: float) -> None:
    with pytest.raises(UsageError, match="a limit above 0"):
        truncated_latents([1], 4, limit)


def test_a_plane_has_two_codes_a_side_or_more() -> None:
    with pytest.raises(UsageError, match="at least 2, got 1"):
        latent_plane(*latents(range(3), 4), 1)
