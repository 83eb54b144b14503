"""The directions of the sliders of a page: those that change the output most, found in the weights of the model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.capabilities import Projects, Samples, Styled
from ganvas.inference.latent_space import space
from ganvas.latents.directions import spread_along, strongest_directions
from ganvas.latents.seed_latents import latents

MOST = 6  # sliders
CODES = 1_000  # codes w for the standard deviation along a direction
FEW_NUMBERS = 8  # of z: so few are sliders themselves


@dataclass(frozen=True)
class Slider:
    """A direction [d] in z, or in w of a StyleGAN; a step of 1 is one standard deviation of the model's own codes."""

    name: str
    step: Tensor


def find_sliders(game: Samples) -> list[Slider]:
    """SeFa in w or z (arXiv:2007.06600); the axes of a z of few numbers; none for other games."""
    if isinstance(game, Styled):
        found = strongest_directions(game.style_weights()).vectors[:MOST]
        classes = int(getattr(game, "classes", 0))
        c = torch.arange(CODES) % classes if classes else None
        codes = space(game, "w").codes(latents(range(CODES), game.latent_dim), c)
        return [_name(i, vector.float() * spread_along(codes, vector)) for i, vector in enumerate(found)]
    if isinstance(game, Projects) and game.latent_dim > FEW_NUMBERS:
        found = strongest_directions([game.projection()]).vectors[:MOST]
        return [_name(i, vector.float()) for i, vector in enumerate(found)]
    if game.latent_dim <= FEW_NUMBERS:
        axes = torch.eye(game.latent_dim)[:MOST]
        return [Slider(f"Number {i + 1} of z", axis) for i, axis in enumerate(axes)]
    return []


def _name(i: int, step: Tensor) -> Slider:
    return Slider(f"Direction {i + 1}", step)
