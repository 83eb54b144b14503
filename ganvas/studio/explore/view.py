"""A look: everything that decides one picture of a model, as plain values that fit in a link, a favourite, a PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Grows, Samples, Styled
from ganvas.errors import UsageError
from ganvas.inference.batches import sample_chunks
from ganvas.inference.latent_space import noise, require_styles
from ganvas.inference.model import Model
from ganvas.latents.seed_latents import SEEDS, latents
from ganvas.latents.truncation import mix_styles, truncate
from ganvas.layers.noise_input import NoiseInput
from ganvas.runtime import placement
from ganvas.utils.interpolation import lerp, slerp
from ganvas.utils.settings import require_within

REACH = 4.0  # of the plane, to each side, in quarter turns
MOVES, FAR = 32, 20.0  # directions at once, and how far along one


@dataclass(frozen=True, kw_only=True)
class View:
    """What is to be generated. The default of each field changes nothing."""

    seed: int = 0
    picture: int | None = None  # instead of a seed, the code of this training picture, where the game encodes
    label: int | None = None  # the number of a class; None: the first, or all of a couple
    psi: float = 1.0  # truncation of styles: nearer to the mean below 1
    truncate: float | None = None  # of z, of a game without styles: numbers beyond this are sampled again
    moves: Mapping[str, float] = field(default_factory=dict)  # direction, as sefa:0 -> standard deviations along it
    x: float = 0.0  # place in the plane through the latent that turns towards those of two other seeds
    y: float = 0.0
    right: int = 1  # the seed that x leads towards
    up: int = 2  # the seed that y leads towards
    mix: int | None = None  # the seed whose styles are taken from layer `cut` on
    cut: int = 0
    layers: tuple[int, ...] = ()  # the layers whose styles are taken from `mix`; (): all from `cut` on
    noise: int | None = None  # the seed of the noise in each layer, where the game has it; None: one fixed pattern
    resolution: int | None = None  # as a growing game draws it there
    turn: float = 30.0  # viewing angle of a solid, degrees

    def __post_init__(self) -> None:
        require_within(self, "seed right up", 0, SEEDS - 1)
        require_within(self, "psi", -2, 2)
        if self.picture is not None:
            require_within(self, "picture", 0, SEEDS - 1)
        if self.truncate is not None:
            require_within(self, "truncate", 0.01, 100)
        if len(self.moves) > MOVES or not all(abs(amount) <= FAR for amount in self.moves.values()):
            raise UsageError(f"moves: expected at most {MOVES} directions, each by at most {FAR:g} standard deviations")
        require_within(self, "x y", -REACH, REACH)
        require_within(self, "cut", 0, 64)
        if len(self.layers) > MOVES or not all(0 <= layer < 64 for layer in self.layers):
            raise UsageError(f"layers: expected at most {MOVES} numbers of layers, from 0")
        if self.noise is not None:
            require_within(self, "noise", 0, SEEDS - 1)
        require_within(self, "turn", -360, 360)


@dataclass(frozen=True)
class Point:
    """The latent of a look: z [1, d], or w [1, layers, d] of a game with styles; and the class [1, n]."""

    at: Tensor
    c: Tensor | None
    noise: int | None = None  # the seed of the noise in the layers


def place(z: Tensor, right: Tensor, up: Tensor, x: float, y: float) -> Tensor:
    """The latent [1, d] at (x, y) of a plane on the sphere: z at (0, 0), a quarter turn towards the two others at 1.

    Their components along z are removed first, so that every point has the length of z.
    """
    if not x and not y:
        return z
    length = z.norm(dim=1, keepdim=True)
    unit = z / length
    u = F.normalize(right - (right * unit).sum(1, keepdim=True) * unit, dim=1)
    v = up - (up * unit).sum(1, keepdim=True) * unit
    v = F.normalize(v - (v * u).sum(1, keepdim=True) * u, dim=1)
    angle = (x * x + y * y) ** 0.5
    turn = torch.tensor(angle * torch.pi / 2)
    there: Tensor = length * (torch.cos(turn) * unit + torch.sin(turn) * (x * u + y * v) / angle)
    return there


def point(model: Model, look: View, steps: Mapping[str, Tensor] = MappingProxyType({}), code: Tensor | None = None) -> Point:
    """The latent of the look; `steps` are its directions [d] by name, each one standard deviation long.

    `code` [1, latent_dim] takes the place of the seed's latent.

    Raises:
        UsageError: it asks for a class, styles or a resolution that the model does not have.
    """
    game = model.drawer
    z, right, up = noise(game, [look.seed, look.right, look.up], look.truncate).split(1)
    z, c = place(z if code is None else code, right, up, look.x, look.y), _class(model, look.label)
    if look.resolution is not None and (not isinstance(game, Grows) or look.resolution not in game.resolutions):
        raise UsageError(f"resolution: this model does not generate at {look.resolution}; leave it out")
    step = sum((amount * steps[name][None] for name, amount in look.moves.items()), torch.zeros(()))
    if not isinstance(game, Styled) or look.resolution is not None:
        if look.psi != 1 or look.mix is not None or look.noise is not None or (look.moves and isinstance(game, Styled)):
            raise UsageError("truncation psi, mixing, noise and directions of w need a model with styles at its full size")
        return Point(z + step, c)
    styles = partial(_styles, game, c=c, psi=look.psi)
    w = styles(z)
    fine = w if look.mix is None else styles(latents([look.mix], game.latent_dim))
    mixed = mix_styles(w + step, fine + step, game.styles, min(look.cut, game.styles))
    if look.layers and look.mix is not None:
        mixed = torch.stack([fine + step if i in look.layers else w + step for i in range(game.styles)], 1)
    return Point(mixed, c, look.noise)


def _styles(game: Samples, z: Tensor, c: Tensor | None, psi: float) -> Tensor:
    """z [1, latent_dim] -> its truncated w [1, d], both on the CPU."""
    mapping = require_styles(game)
    return truncate(sample_chunks(game, z, c, 1, mapping.map), placement.to_cpu(mapping.w_mean), psi)


def _class(model: Model, label: int | None) -> Tensor | None:
    """The class as weights [1, n], which walks can mix. Raises: UsageError: the model has no such class."""
    if not isinstance(model.game, Conditional):
        if label is not None:
            raise UsageError("this model was trained without classes; leave the label out")
        return None
    count = model.game.classes
    if not 0 <= (label or 0) < count:
        raise UsageError(f"label: expected a class from 0 to {count - 1}, got {label}")
    return F.one_hot(torch.tensor([label or 0]), count).float()


def draw(model: Model, points: Sequence[Point], resolution: int | None = None, chunk: int = 1) -> Tensor:
    """Samples [N, ...] of the points; `chunk` 32 gives the very bits of `ganvas sample`, 1 answers soonest.

    Looks at one resolution are drawn by z, so that styles do not apply.
    """
    game: Samples = model.drawer
    at = torch.cat([each.at for each in points])
    c = None if points[0].c is None else torch.cat([each.c for each in points if each.c is not None])
    if c is not None and bool((c.amax(1) == 1).all()):
        c = c.argmax(1)  # one class each: the exact arithmetic of a sample
    if resolution is not None and isinstance(game, Grows):
        growing: Grows = game
        return sample_chunks(game, at, c, chunk, lambda z, c: growing.sample_at(z, resolution, c))
    if isinstance(game, Styled):
        styles: Styled = game
        noise = make_noise(game, points[0].noise, model.device)
        return sample_chunks(game, at, c, chunk, lambda w, _: styles.synthesize(w, noise))
    return sample_chunks(game, at, c, chunk)


def find_noise_inputs(game: Samples) -> list[NoiseInput]:
    """The noise inputs of the layers of a game with styles, the first layer first; [] of a game without."""
    found = [module for module in game.modules() if isinstance(module, NoiseInput)] if isinstance(game, nn.Module) else []
    return found if isinstance(game, Styled) else []


def make_noise(game: Samples, seed: int | None, device: torch.device) -> list[Tensor] | None:
    """The noise of a seed for each layer, [1, 1, side, side]; None: the fixed pattern. Raises: UsageError: no noise inputs."""
    if seed is None:
        return None
    inputs = find_noise_inputs(game)
    if not inputs:
        raise UsageError("noise: the layers of this model get no noise; leave it out")
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(1, 1, layer.side, layer.side, generator=source).to(device) for layer in inputs]


def tour(points: Sequence[Point], frames: int, closed: bool = True) -> list[Point]:
    """Points of a walk through the given ones in even steps: along the sphere in z, straight in w, classes mixed linearly.

    Raises:
        UsageError: fewer than two points or frames.
    """
    if len(points) < 2 or frames < 2:
        raise UsageError(f"a walk needs at least two keyframes and two frames, got {len(points)} and {frames}")
    legs = len(points) if closed else len(points) - 1
    found = []
    for i in range(frames):
        where = i * legs / (frames if closed else frames - 1)
        leg = min(int(where), legs - 1)
        a, b, share = points[leg], points[(leg + 1) % len(points)], where - leg
        way: Any = lerp if a.at.ndim == 3 else slerp
        c = None if a.c is None or b.c is None else lerp(a.c, b.c, share)
        found.append(Point(way(a.at, b.at, share), c, points[0].noise))
    return found
