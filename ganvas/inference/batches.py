"""Apply a game to many samples in chunks of a fixed size: a seed gives the same bits however many samples are made."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.core.capabilities import Classifies, Encodes, Samples, Styled, Writes
from ganvas.core.modality import VOXELS, modality_of
from ganvas.errors import UsageError
from ganvas.latents.truncation import truncate
from ganvas.media.voxel_rendering import shade
from ganvas.runtime import placement
from ganvas.utils.parsing import require_number

PSI = 100.0  # the largest truncation; far beyond, w squared is not finite
Draw = Callable[[Tensor, Tensor | None], Tensor]  # z [N, ...], c -> samples [N, ...]
Keep = Callable[[Tensor], Tensor]  # samples [N, ...] -> what is kept of them [N, ...]


def sample_chunks(
    game: Samples, z: Tensor, c: Tensor | None, chunk: int = 32, draw: Draw | None = None, keep: Keep | None = None
) -> Tensor:
    """z [N, latent_dim], c -> samples [N, ...] on the CPU in float32 (text in int64), always `chunk` rows at a time.

    z and c are moved to the device of the game. The last chunk is filled up, so that a latent gives the same bits in any
    number of samples. `draw` replaces `game.sample`; `keep` is applied to each chunk, e.g. to keep many samples as bytes.
    """
    draw, device = draw or game.sample, placement.device_of(game)
    return in_chunks(lambda rows: draw(z[rows].to(device), None if c is None else c[rows].to(device)), len(z), chunk, keep=keep)


def encode_chunks(game: Encodes, x: Tensor, chunk: int = 32) -> Tensor:
    """x [N, ...] -> codes [N, latent_dim] on the CPU in float32, in chunks as above."""
    device = placement.device_of(game)
    return in_chunks(lambda rows: game.encode(x[rows].to(device)), len(x), chunk)


def classify_chunks(game: Classifies, x: Tensor, chunk: int = 32) -> Tensor:
    """x [N, ...] -> the likeliest class [N] on the CPU, in chunks as above."""
    return class_shares(game, x, chunk).argmax(1)


def class_shares(game: Classifies, x: Tensor, chunk: int = 32) -> Tensor:
    """x [N, ...] -> P(class | x) [N, classes] on the CPU in float32, in chunks as above."""
    device = placement.device_of(game)
    return in_chunks(lambda rows: game.classify(x[rows].to(device)).float().softmax(1), len(x), chunk)


@torch.no_grad()
def in_chunks(compute: Callable[[Tensor], Tensor], n: int, chunk: int, keep: Keep | None = None) -> Tensor:
    """`compute` of the rows 0 .. n-1, always `chunk` at a time; results on the CPU, floats as float32; `keep` as above."""
    parts = []
    for start in range(0, n, chunk):
        rows = torch.arange(start, start + chunk).clamp(max=n - 1)
        part = placement.to_cpu(compute(rows)[: n - start])
        part = part.float() if part.is_floating_point() else part
        parts.append(part if keep is None else keep(part))
    return torch.cat(parts)


def make_sampler(game: Samples, psi: float = 1.0, temperature: float = 1.0) -> Draw:
    """The way to sample with w truncated to `psi`, or text at a temperature; below 1 both give more typical samples.

    Raises:
        UsageError: it has no styles, or writes no text, or psi or the temperature is out of range.
    """
    require_number("psi", psi)
    require_number("temperature", temperature)
    if not abs(psi) <= PSI:  # nor NaN
        raise UsageError(f"psi: expected from {-PSI:g} to {PSI:g}, got {psi:g}")
    if not 0 < temperature < float("inf"):
        raise UsageError(f"temperature: expected a number above 0, got {temperature:g}")
    if temperature != 1 and not isinstance(game, Writes):
        raise UsageError("only a model of text has a temperature; leave --temperature out")
    if isinstance(game, Writes) and psi == 1:
        text: Writes = game
        return lambda z, _: text.write(z, temperature)
    if psi == 1:
        return game.sample
    if not isinstance(game, Styled):
        raise UsageError("only a stylegan model has styles w to truncate; leave --psi out")
    styled: Styled = game
    return lambda z, c: styled.synthesize(truncate(styled.map(z, c), styled.w_mean, psi))


def as_pictures(samples: Tensor) -> Tensor:
    """Samples as images [N, C, H, W]: voxels rendered from the default angle, images unchanged."""
    return shade(samples) if modality_of(samples) is VOXELS else samples
