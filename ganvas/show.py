"""What a game can show of itself: a sheet of pictures, a plane of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import PIL.Image
import torch
from PIL.Image import Image
from torch import Tensor

from ganvas.core import devices
from ganvas.core.sample_kind import kind_of
from ganvas.data.preview import page
from ganvas.data.source import Source
from ganvas.edit.latents import latents
from ganvas.edit.styles import truncated
from ganvas.errors import UsageError
from ganvas.export.pictures import caption, legible_scale, save_gif, scatter, sheet
from ganvas.game import Classifies, Conditional, Couples, Encodes, Game, Samples, Styled, Writes
from ganvas.solids import shaded

COLUMNS = 10
PSI = 100.0  # to either side: far beyond, w squared is no finite number


Draw = Callable[[Tensor, Tensor | None], Tensor]  # z [N, ...], c -> samples [N, ...]
Keep = Callable[[Tensor], Tensor]  # samples [N, ...] -> what is kept of them [N, ...]


def drawn(
    game: Samples, z: Tensor, c: Tensor | None, chunk: int = 32, draw: Draw | None = None, keep: Keep | None = None
) -> Tensor:
    """z [N, latent_dim], c -> samples [N, ...] on the CPU in float32 (text in int64), always `chunk` rows at a time.

    z and c are moved to the device of the game. The last chunk is filled up, so that one latent gives the same bits however
    many are asked for. `draw` is another way of the game to draw than `sample`; `keep` is applied to each chunk, so that
    many samples can be kept as bytes and are never all held as floats.
    """
    draw, device = draw or game.sample, devices.device_of(game)
    return in_chunks(lambda rows: draw(z[rows].to(device), None if c is None else c[rows].to(device)), len(z), chunk, keep=keep)


def encoded(game: Encodes, x: Tensor, chunk: int = 32) -> Tensor:
    """x [N, ...] -> codes [N, latent_dim] on the CPU in float32, in chunks as above."""
    device = devices.device_of(game)
    return in_chunks(lambda rows: game.encode(x[rows].to(device)), len(x), chunk)


def named(game: Classifies, x: Tensor, chunk: int = 32) -> Tensor:
    """x [N, ...] -> the likeliest class [N] on the CPU, in chunks as above."""
    device = devices.device_of(game)
    return in_chunks(lambda rows: game.classify(x[rows].to(device)).argmax(1), len(x), chunk)


@torch.no_grad()
def in_chunks(compute: Callable[[Tensor], Tensor], n: int, chunk: int, keep: Keep | None = None) -> Tensor:
    """`compute` of rows 0 .. n-1, always `chunk` of them at a time; the results on the CPU, floats as float32."""
    parts = []
    for start in range(0, n, chunk):
        rows = torch.arange(start, start + chunk).clamp(max=n - 1)
        part = devices.to_cpu(compute(rows)[: n - start])
        part = part.float() if part.is_floating_point() else part
        parts.append(part if keep is None else keep(part))
    return torch.cat(parts)


def drawing(game: Samples, psi: float = 1.0, temperature: float = 1.0) -> Draw:
    """How the game draws with its styles truncated to `psi`, or its text at a temperature: more typical below 1.

    Raises:
        UsageError: it has no styles, or writes no text, or psi or the temperature is out of range.
    """
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
    return lambda z, c: styled.synthesise(truncated(styled.map(z, c), styled.w_mean, psi))


def visible(samples: Tensor) -> Tensor:
    """Samples as pictures [N, C, H, W]: solids seen from their usual side, images as they are."""
    return shaded(samples) if kind_of(samples) == "voxels" else samples


def picture(game: Game, data: Source, seed: int = 0) -> Image | None:
    """The same noise at every call: a sheet with one row per class, a square sheet, or fakes among reals in the plane."""
    if not isinstance(game, Samples):
        return None
    if isinstance(game, Writes):
        text = drawn(game, latents(range(seed, seed + COLUMNS**2), game.latent_dim), None)
        return page(game.spell(text), widest(game))
    if kind_of(data.table) == "points":
        fake = drawn(game, latents(range(seed, seed + 500), game.latent_dim), None, 500)
        return scatter(data.samples(torch.arange(min(500, len(data))))["real"], fake)
    rows = game.classes if isinstance(game, Conditional) else COLUMNS
    c = torch.arange(rows).repeat_interleave(COLUMNS) if isinstance(game, Conditional) else None
    if isinstance(game, Couples):  # each noise in every class, one below the other
        z = latents(range(seed, seed + COLUMNS**2), game.latent_dim).unflatten(0, (COLUMNS, 1, COLUMNS))
        z = z[: max(1, COLUMNS // rows)].expand(-1, rows, -1, -1).flatten(0, 2)
        c = torch.arange(rows).repeat_interleave(COLUMNS).repeat(len(z) // (rows * COLUMNS))
    else:
        z = latents(range(seed, seed + rows * COLUMNS), game.latent_dim)
    images = visible(drawn(game, z, c))
    return sheet(images, COLUMNS, legible_scale(images.shape[-1]))


def widest(game: Game) -> int:
    """The most letters in a line of a game of text; a number has up to four, and a space."""
    return int(game.config.length * (1 if game.config.alphabet else 5))


def learning(path: Path, pictures: Sequence[Path]) -> None:
    """A GIF of the pictures, each with the number of images that had been shown; the last one stays for two seconds."""
    frames = []
    for name in pictures:
        with PIL.Image.open(name) as picture:
            frames.append(caption(picture, [f"{int(picture.info.get('images', 0)):,} images"]))
    if len(frames) > 1:
        save_gif(path, frames + [frames[-1]] * 20, 100)
