"""Discriminator augmentation: exact where it claims to be, of the published strengths, twice differentiable.

What a call did to a sample is read off its output, never off the layout of the uniforms: ramps show the affine map of
places, four pixels that of colours.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.errors import UsageError
from ganvas.layers.adaptive_augment import BLIT, COLOR, GEOMETRY, GROUPS, adaptive_augment
from ganvas.layers.augmentation import Uniform
from ganvas.layers.diff_augment import DIFF, diff_augment
from ganvas.layers.instance_noise import instance_noise
from ganvas.losses.penalties import zero_centered_penalty

EVERY = (*BLIT, *GEOMETRY, *COLOR)
WHOLE = tuple(GROUPS)
Apply = Callable[[Tensor, Uniform], Tensor]

KINDS: dict[str, Apply] = {
    **{f"adaptive-{kind}": functools.partial(adaptive_augment, p=1.0, kinds=(kind,)) for kind in EVERY},
    "adaptive-all": functools.partial(adaptive_augment, p=0.7, kinds=WHOLE),
    **{f"diff-{kind}": functools.partial(diff_augment, kinds=(kind,)) for kind in DIFF},
    "diff-all": diff_augment,
}
each_kind = pytest.mark.parametrize("name", KINDS)


def apply(name: str, images: Tensor, uniform: Uniform) -> Tensor:
    return KINDS[name](images, uniform=uniform)  # type: ignore[call-arg]


def seeded(seed: int = 0) -> Uniform:
    """Uniforms that depend on the seed alone: every call gives the same rows."""
    return lambda n, *shape: torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def constant(value: float) -> Uniform:
    return lambda n, *shape: torch.full((n, *shape), value)


def sample(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A fixed draw in [-1, 1]."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype) * 2 - 1


def chosen(outputs: Tensor, candidates: Tensor) -> list[int]:
    """For each output [C, H, W] the one candidate [K, C, H, W] that equals it, bit for bit."""
    equal = (outputs[:, None] == candidates[None]).flatten(2).all(2)
    assert equal.sum(1).tolist() == [1] * len(outputs)
    return equal.int().argmax(1).tolist()


def shifted(image: Tensor, most: int, mode: str) -> Tensor:
    """[C, H, W] -> [(2 most + 1)^2, C, H, W]: shifts along both sides."""
    height, width = image.shape[1:]
    padded = F.pad(image[None], [most] * 4, mode=mode)[0]
    corners = itertools.product(range(2 * most + 1), repeat=2)
    return torch.stack([padded[:, y : y + height, x : x + width] for y, x in corners])


def drawn(mean: float, sd: float, values: Tensor) -> None:
    """Mean and standard deviation of normal (or narrower-tailed) draws, within 4.5 standard errors."""
    n = len(values)
    assert values.mean().item() == pytest.approx(mean, abs=4.5 * sd / math.sqrt(n))
    assert values.std().item() == pytest.approx(sd, rel=4.5 / math.sqrt(2 * n))


# Nothing happens.


def test_at_probability_zero_the_very_tensor_comes_back() -> None:
    images = sample(4, 3, 8, 8)
    assert adaptive_augment(images, 0.0, seeded(), WHOLE) is images
    assert adaptive_augment(images, 1.0, seeded(), ()) is images
    assert instance_noise(images, 0.0, torch.randn) is images


@pytest.mark.parametrize("seed", [0, 7])
def test_a_call_always_draws_the_same_uniforms(seed: int) -> None:
    """Neither p nor the kinds that are on may move the draws that follow in the same step."""
    asked: list[tuple[int, ...]] = []

    def counting(*shape: int) -> Tensor:
        asked.append(shape)
        return torch.rand(*shape)

    for p, kinds in itertools.product([0.0, 0.3, 1.0], [EVERY, ("flip",), (), WHOLE]):
        adaptive_augment(sample(2, 3, 8, 8), p, counting, kinds)
    assert len(asked) == 12
    assert len(set(asked)) == 1
    asked.clear()
    for on in (DIFF, ("color",), ()):
        diff_augment(sample(2, 3, 8, 8), counting, on)
    assert len(asked) == 3
    assert len(set(asked)) == 1


@pytest.mark.parametrize("p", [0.1, 0.6])
@pytest.mark.parametrize("kind", EVERY)
def test_share_of_changed_samples(kind: str, p: float) -> None:
    """p times the chance of a value that changes something; every other sample comes back bit for bit.

    Flips draw one of 2 states, quarter turns one of 4, shifts of 8 pixels -1, 0, 1 with chances 1/4, 1/2, 1/4.
    """
    effective = {"flip": 0.5, "luma_flip": 0.5, "rotate90": 0.75, "shift": 0.75}.get(kind, 1.0) * p
    n = 3000
    images = sample(n, 3, 8, 8)
    changed = (adaptive_augment(images, p, seeded(), (kind,)) != images).flatten(1).any(1).sum().item()
    assert abs(changed - n * effective) < 4.5 * math.sqrt(n * effective * (1 - effective))


def test_kinds_happen_independently() -> None:
    """At p = 1/2, all seven transformations of places spare a sample with the product of their chances."""
    n, images = 3000, sample(3000, 1, 8, 8)
    spared = (adaptive_augment(images, 0.5, seeded(), ("blit", "geometry")) == images).flatten(1).all(1).sum().item()
    chance = 0.75 * 0.625 * 0.625 * 0.5**4  # flip, quarter turns, shift; scale, rotation, stretch, translation
    assert abs(spared - n * chance) < 4.5 * math.sqrt(n * chance)


# Whole pixels move exactly.


@pytest.mark.parametrize("side", [8, 9])
def test_flips_and_quarter_turns_are_exact(side: int) -> None:
    image = sample(2, side, side)
    images = image.expand(64, 2, side, side)
    turns = torch.stack([image.rot90(k, (1, 2)) for k in range(4)])
    assert set(chosen(adaptive_augment(images, 1.0, seeded(), ("flip",)), torch.stack([image, image.flip(2)]))) == {0, 1}
    assert set(chosen(adaptive_augment(images, 1.0, seeded(), ("rotate90",)), turns)) == {0, 1, 2, 3}
    mirrored = torch.stack([image.flip(2).rot90(k, (1, 2)) for k in range(4)])
    assert set(chosen(adaptive_augment(images, 1.0, seeded(), ("flip", "rotate90")), torch.cat([turns, mirrored]))) == set(
        range(8)
    )


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 15)])
def test_shifts_are_exact(height: int, width: int) -> None:
    """Up to an eighth of the side; the outermost pixels continue beyond the border."""
    image = sample(1, height, width)
    outputs = adaptive_augment(image.expand(500, 1, height, width), 1.0, seeded(), ("shift",))
    assert set(chosen(outputs, shifted(image, 2, "replicate"))) == set(range(25))


def test_the_whole_blit_group_is_exact() -> None:
    """Mirrored, then turned, then shifted: as in the published order."""
    image = sample(1, 8, 8)
    turned = [each.rot90(k, (1, 2)) for each in (image, image.flip(2)) for k in range(4)]
    candidates = torch.cat([shifted(each, 1, "replicate") for each in turned])
    assert len(set(chosen(adaptive_augment(image.expand(2000, 1, 8, 8), 1.0, seeded(), ("blit",)), candidates))) == 72


# Geometry.

N, SIDE = 1500, 33


@functools.cache
def places(kinds: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """The map from written to read places, about the centre: linear [N, 2, 2] and offset [N, 2], by what ramps turn into."""
    middle = (SIDE - 1) // 2
    ramp = torch.arange(SIDE, dtype=torch.float64) - middle
    ramps = torch.stack([ramp.expand(SIDE, SIDE), ramp[:, None].expand(SIDE, SIDE)])
    out = adaptive_augment(ramps.expand(N, 2, SIDE, SIDE), 1.0, seeded(), kinds)
    along_x = (out[:, :, middle, middle + 1] - out[:, :, middle, middle - 1]) / 2
    along_y = (out[:, :, middle + 1, middle] - out[:, :, middle - 1, middle]) / 2
    return torch.stack([along_x, along_y], 2), out[:, :, middle, middle]


def test_scale_is_isotropic_and_lognormal() -> None:
    linear, offset = places(("scale",))
    size = linear[:, 0, 0]
    torch.testing.assert_close(linear, size[:, None, None] * torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(offset, torch.zeros_like(offset))
    drawn(0, 0.2, size.log2())


def test_stretch_keeps_the_area() -> None:
    linear, _ = places(("stretch",))
    torch.testing.assert_close(linear.det(), torch.ones(N, dtype=torch.float64))
    torch.testing.assert_close(linear[:, 0, 1], torch.zeros(N, dtype=torch.float64))
    torch.testing.assert_close(linear[:, 1, 0], torch.zeros(N, dtype=torch.float64))
    drawn(0, 0.2, linear[:, 0, 0].log2())


def test_rotation_turns_by_any_angle() -> None:
    linear, _ = places(("rotate",))
    torch.testing.assert_close(linear @ linear.mT, torch.eye(2, dtype=torch.float64).expand(N, 2, 2))
    torch.testing.assert_close(linear.det(), torch.ones(N, dtype=torch.float64))
    drawn(0, 1 / math.sqrt(2), linear[:, 0, 0])  # the cosine of a uniform angle
    drawn(0, 1 / math.sqrt(2), linear[:, 1, 0])


def test_translation_is_fractional_and_normal() -> None:
    linear, offset = places(("translate",))
    inside = offset.abs().amax(1) < SIDE // 2 - 1  # beyond, the ramp is mirrored
    assert inside.double().mean() > 0.99
    torch.testing.assert_close(linear[inside], torch.eye(2, dtype=torch.float64).expand(int(inside.sum()), 2, 2))
    for axis in (0, 1):
        drawn(0, 0.125 * SIDE, offset[:, axis])


def test_transformations_compose_in_the_published_order() -> None:
    """Every kind keeps its uniforms when others join, so single maps multiply to the map of all.

    What is mirrored first and slid last is read at F Q T S A X of the place it is written to (T, X: the translations).
    """

    def homogeneous(*kinds: str) -> Tensor:
        linear, offset = places(kinds)
        return torch.cat([torch.cat([linear, offset[:, :, None]], 2), torch.tensor([[[0.0, 0.0, 1.0]]] * N)], 1)

    order = ("flip", "rotate90", "shift", "scale", "stretch", "translate")
    expected = functools.reduce(torch.matmul, [homogeneous(kind) for kind in order])
    found = homogeneous(*order)
    inside = expected[:, :2, 2].abs().amax(1) < SIDE // 2 - 4  # beyond, the ramp is mirrored
    assert inside.double().mean() > 0.9
    torch.testing.assert_close(found[inside], expected[inside], atol=1e-9, rtol=1e-9)


def test_rotations_before_and_after_the_stretch() -> None:
    """Singular values stay those of scale and stretch, but the axes of the stretch are turned."""
    scale, stretch = places(("scale",))[0][:, 0, 0], places(("stretch",))[0]
    linear, _ = places(("scale", "rotate", "stretch"))
    expected = (scale[:, None] * stretch.diagonal(dim1=1, dim2=2)).sort(1, descending=True).values
    torch.testing.assert_close(torch.linalg.svdvals(linear), expected)
    assert (linear.mT @ linear)[:, 0, 1].abs().max() > 0.1
    assert (linear @ linear.mT)[:, 0, 1].abs().max() > 0.1


def test_resampling_equals_torch() -> None:
    """The oracle is grid_sample, which has no second derivative, on the maps read off the ramps."""
    images = sample(N, 1, SIDE, SIDE, dtype=torch.float64)
    kinds = ("flip", "rotate90", "scale", "rotate", "stretch")  # no offset: the ramps show the map wherever it leads
    theta = torch.cat([places(kinds)[0], torch.zeros(N, 2, 1)], 2)
    grid = F.affine_grid(theta, [N, 1, SIDE, SIDE], align_corners=True)
    expected = F.grid_sample(images, grid, padding_mode="border", align_corners=True)
    torch.testing.assert_close(adaptive_augment(images, 1.0, seeded(), kinds), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("shape", [(8, 1, 28, 28), (8, 3, 29, 29), (8, 1, 28, 29), (8, 2, 5, 3), (8, 1, 1, 1)])
def test_moved_images_stay_within_the_range_of_the_image(shape: tuple[int, ...]) -> None:
    images = sample(*shape)
    out = adaptive_augment(images, 1.0, seeded(), ("blit", "geometry"))
    assert out.shape == images.shape
    assert out.dtype == images.dtype
    assert (out.flatten(1).amax(1) <= images.flatten(1).amax(1) + 1e-5).all()
    assert (out.flatten(1).amin(1) >= images.flatten(1).amin(1) - 1e-5).all()


# Colour.

EYE = torch.eye(3, dtype=torch.float64)
GREY = torch.full((3, 3), 1 / 3, dtype=torch.float64)  # onto the grey axis


@functools.cache
def colours(*kinds: str) -> tuple[Tensor, Tensor]:
    """The affine map of colours: linear [N, 3, 3] and offset [N, 3], by what black and the three primaries turn into."""
    pixels = torch.cat([torch.zeros(3, 1, dtype=torch.float64), EYE], 1).reshape(3, 2, 2)
    out = adaptive_augment(pixels.expand(N, 3, 2, 2), 1.0, seeded(), kinds).flatten(2)
    return out[:, :, 1:] - out[:, :, :1], out[:, :, 0]


def test_brightness_and_contrast() -> None:
    linear, offset = colours("brightness")
    torch.testing.assert_close(linear, EYE.expand(N, 3, 3))
    torch.testing.assert_close(offset, offset[:, :1].expand(N, 3))
    drawn(0, 0.2, offset[:, 0])
    linear, offset = colours("contrast")
    torch.testing.assert_close(linear, linear[:, :1, :1] * EYE)
    assert not offset.any()
    drawn(0, 0.5, linear[:, 0, 0].log2())


def test_luma_flip_mirrors_the_grey_axis() -> None:
    linear, _ = colours("luma_flip")
    flipped = linear[:, 0, 0] < 0.9
    torch.testing.assert_close(linear[flipped], (EYE - 2 * GREY).expand(int(flipped.sum()), 3, 3))
    torch.testing.assert_close(linear[~flipped], EYE.expand(int((~flipped).sum()), 3, 3))
    grey = sample(1, 3, 3)
    assert set(
        chosen(adaptive_augment(grey.expand(100, 1, 3, 3), 1.0, seeded(), ("luma_flip",)), torch.stack([grey, -grey]))
    ) == {0, 1}


def test_hue_turns_about_the_grey_axis() -> None:
    linear, offset = colours("hue")
    torch.testing.assert_close(linear @ linear.mT, EYE.expand(N, 3, 3))
    torch.testing.assert_close(linear.det(), torch.ones(N, dtype=torch.float64))
    torch.testing.assert_close(linear.sum(2), torch.ones(N, 3, dtype=torch.float64))
    assert not offset.any()
    drawn(0, 1 / math.sqrt(2), (linear.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2)  # the trace is 1 + 2 cos
    drawn(0, 1 / math.sqrt(2), (linear[:, 1, 0] - linear[:, 0, 1]) * math.sqrt(3) / 2)  # and this the sine


def test_saturation_scales_across_the_grey_axis() -> None:
    linear, _ = colours("saturation")
    across = (linear.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2
    torch.testing.assert_close(linear, GREY + across[:, None, None] * (EYE - GREY))
    drawn(0, 1, across.log2())


def test_colours_compose_in_the_published_order() -> None:
    """C = saturation hue luma_flip contrast brightness, from the left."""
    expected = functools.reduce(torch.matmul, [colours(kind)[0] for kind in reversed(COLOR)])
    linear, offset = colours("color")
    torch.testing.assert_close(linear, expected)
    torch.testing.assert_close(offset, (expected @ colours("brightness")[1][:, :, None])[:, :, 0])


def test_grey_images_are_recoloured_like_grey_pixels() -> None:
    """A grey image gets what three equal channels would: hue and saturation do nothing."""
    grey = sample(50, 1, 4, 4, dtype=torch.float64)
    assert torch.equal(adaptive_augment(grey, 1.0, seeded(), ("hue", "saturation")), grey)
    out = adaptive_augment(grey.expand(50, 3, 4, 4), 1.0, seeded(), ("color",))
    torch.testing.assert_close(out, adaptive_augment(grey, 1.0, seeded(), ("color",)).expand(50, 3, 4, 4))


# DiffAugment.


def spread(low: float, high: float, values: Tensor) -> None:
    """Uniform over [low, high]: within it, near both ends, and of its mean."""
    width = high - low
    assert low - 1e-6 <= values.min() < low + 0.02 * width
    assert high - 0.02 * width < values.max() <= high + 1e-6
    assert values.mean().item() == pytest.approx((low + high) / 2, abs=4.5 * width / math.sqrt(12 * len(values)))


def test_diff_augment_brightness_saturation_and_contrast() -> None:
    """Source: rand_brightness, rand_color, rand_contrast of DiffAugment_pytorch.py, mit-han-lab/data-efficient-gans."""
    flat = torch.zeros(1000, 1, 4, 4)
    spread(-0.5, 0.5, diff_augment(flat, seeded(), ("color",))[:, 0, 0, 0])
    image = sample(3, 6, 6, dtype=torch.float64)
    images = image.expand(1000, 3, 6, 6)
    out = diff_augment(images, seeded(), ("color",))
    grey, grey_out = images.mean(1), out.mean(1)
    contrast = grey_out.flatten(1).std(1) / grey.flatten(1).std(1)
    chroma = (out - grey_out[:, None]).flatten(1).norm(dim=1) / (images - grey[:, None]).flatten(1).norm(dim=1)
    spread(0.5, 1.5, contrast)
    spread(0, 2, chroma / contrast)
    single = diff_augment(images[:, :1], seeded(), ("color",))[:, 0]
    torch.testing.assert_close(single.flatten(1).std(1) / images[:, 0].flatten(1).std(1), contrast)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 23)])
def test_diff_augment_translates_up_to_an_eighth_into_zeros(height: int, width: int) -> None:
    image = sample(2, height, width)
    outputs = diff_augment(image.expand(500, 2, height, width), seeded(), ("translation",))
    assert set(chosen(outputs, shifted(image, 2, "constant"))) == set(range(25))


@pytest.mark.parametrize(("height", "width"), [(28, 28), (29, 30), (30, 29)])
def test_diff_augment_cuts_a_hole_of_half_the_side(height: int, width: int) -> None:
    """The hole may lie partly outside: its centre is anywhere, so its mean area is smaller than a quarter."""
    images = sample(1500, 2, height, width).abs() + 0.1
    out = diff_augment(images, seeded(), ("cutout",))
    hole = out[:, 0] == 0
    assert torch.equal(out, images * ~hole[:, None])
    rows, cols = hole.any(2), hole.any(1)
    assert torch.equal(hole, rows[:, :, None] & cols[:, None])
    for line, side in ((rows, height), (cols, width)):
        cut = side // 2
        centres = range(side + 1 - cut % 2)
        lengths = [len(range(max(0, c - cut // 2), min(side, c - cut // 2 + cut))) for c in centres]
        found = line.sum(1)
        assert (line.int().diff(dim=1).abs().sum(1) <= 2).all()  # one run
        assert found.max() == cut
        assert found.min() == min(lengths)
        mean, sd = torch.tensor(lengths).double().mean().item(), torch.tensor(lengths).double().std().item()
        assert found.double().mean().item() == pytest.approx(mean, abs=4.5 * sd / math.sqrt(len(found)))


# What every kind keeps.


@each_kind
def test_each_sample_depends_on_its_own_row_only(name: str) -> None:
    """Permuted rows permute the outputs; a batch of one equals the row of a larger batch; reals and fakes share the law."""
    images = sample(9, 3, 8, 8)

    def rows(wanted: Tensor) -> Uniform:
        return lambda n, *shape: seeded(3)(9, *shape)[wanted]

    out = apply(name, images, rows(torch.arange(9)))
    assert not torch.equal(out, images)
    for wanted in (torch.randperm(9, generator=torch.Generator().manual_seed(0)), *torch.arange(9).split(1)):
        assert torch.equal(apply(name, images[wanted], rows(wanted)), out[wanted])


@each_kind
@pytest.mark.parametrize("channels", [1, 3])
def test_memory_format_and_autocast_change_nothing(name: str, channels: int) -> None:
    images = sample(4, channels, 28, 29)
    out = apply(name, images, seeded())
    assert out.shape == images.shape
    assert out.isfinite().all()
    torch.testing.assert_close(apply(name, images.to(memory_format=torch.channels_last), seeded()), out)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(apply(name, images, seeded()), out)


@each_kind
@pytest.mark.parametrize("value", [0.0, 1 - 2**-24])
def test_the_ends_of_the_uniforms_are_finite(name: str, value: float) -> None:
    """A float32 uniform can be exactly 0, whose normal quantile is not finite."""
    assert apply(name, sample(2, 3, 8, 8), constant(value)).isfinite().all()


@each_kind
def test_first_and_second_derivatives(name: str) -> None:
    images = sample(2, 3, 3, 4, dtype=torch.float64).requires_grad_()

    def cubed(x: Tensor) -> Tensor:
        """Through a curve, so that the second derivative is not zero throughout."""
        return apply(name, x, seeded()).pow(3).sum((1, 2, 3))

    assert torch.autograd.gradcheck(cubed, images)
    assert torch.autograd.gradgradcheck(cubed, images)


@each_kind
def test_a_slope_penalty_reaches_the_critic_through_it(name: str) -> None:
    """R1 of a small critic with respect to the image before augmentation, as finite differences of its weights say."""
    x = sample(3, 1, 8, 8, dtype=torch.float64).requires_grad_()
    weight = sample(2, 1, 3, 3, dtype=torch.float64).requires_grad_()

    def penalty(weight: Tensor) -> Tensor:
        logits = torch.tanh(F.conv2d(apply(name, x, seeded()), weight)).sum((1, 2, 3))
        return zero_centered_penalty(logits, x, 1.0)

    (gradient,) = torch.autograd.grad(penalty(weight), weight)
    assert gradient.abs().max() > 1e-3
    assert torch.autograd.gradcheck(penalty, weight)


def test_the_artist_learns_through_it() -> None:
    G = nn.Linear(4, 64)
    fakes = torch.tanh(G(sample(8, 4))).view(8, 1, 8, 8)
    adaptive_augment(diff_augment(fakes, seeded()), 0.5, seeded(1), WHOLE).square().mean().backward()
    assert G.weight.grad is not None
    assert G.weight.grad.abs().max() > 0


@pytest.mark.parametrize("shape", [(1000, 2), (50, 1, 5, 4)])
def test_instance_noise_adds_its_standard_deviation(shape: tuple[int, ...]) -> None:
    x = sample(*shape)
    noise = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    out = instance_noise(x, 0.3, lambda *asked: noise if asked == shape else pytest.fail(f"asked for {asked}"))
    assert torch.equal(out, x + 0.3 * noise)


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
def test_probability_outside_its_range(p: float) -> None:
    with pytest.raises(UsageError, match="expected 0 to 1"):
        adaptive_augment(sample(1, 1, 8, 8), p, seeded())


def test_mistyped_kinds_name_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'rotate90'"):
        adaptive_augment(sample(1, 1, 8, 8), 0.5, seeded(), ("rotate99",))
    with pytest.raises(UsageError, match="did you mean 'geometry'"):
        adaptive_augment(sample(1, 1, 8, 8), 0.5, seeded(), ("geometri",))
    with pytest.raises(UsageError, match="did you mean 'cutout'"):
        diff_augment(sample(1, 1, 8, 8), seeded(), ("cut_out",))
