"""Sheets: one picture of samples from the same noise, or of outputs for the same inputs; the animation of a run's sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import PIL.Image
import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import Tensor

from ganvas.core.capabilities import Conditional, Couples, Samples, TakesInputs, Writes
from ganvas.core.game import Game
from ganvas.core.modality import CLIPS, LABEL_MAPS, POINTS, modality_of
from ganvas.data.dataset import Dataset
from ganvas.data.order import spread_evenly
from ganvas.errors import DataError
from ganvas.inference.batches import as_pictures, sample_chunks
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, list_tasks, run_task
from ganvas.latents.seed_latents import latents
from ganvas.media.font import explain_names, tell_names
from ganvas.media.grid import arrange_pictures, caption, legible_scale, make_grid, name_columns, name_rows
from ganvas.media.image_files import encode_gif
from ganvas.media.palette import class_color
from ganvas.media.preview import draw_page
from ganvas.media.scatter import scatter
from ganvas.utils.files import write_durably

COLUMNS = 10
INPUT_ROWS = 8  # samples of a sheet of inputs and outputs
FRAMES = 6  # of a clip that a sheet shows at most
LARGEST_GIF = 1_000_000  # bytes of a learning.gif
# How often a learning.gif is halved, its frames and its colors, best first: the first that fits is taken. Few colors make
# colored pictures grey and banded, so a smaller size comes before them.
FITS = (
    (0, 100, 256),
    (1, 100, 256),
    (1, 36, 128),
    (1, 24, 64),
    (2, 36, 256),
    (2, 24, 128),
    (2, 24, 64),
    (3, 16, 64),
    (3, 8, 16),
    (4, 8, 4),
)


def make_sheet(game: Game, data: Dataset, seed: int = 0) -> Image | None:
    """One picture of what the game generates; every call uses the same noise, or the same inputs.

    Images have one row a class, with its name, or a square; points lie among real ones; text is a page. Of a game that takes
    inputs, which are samples of `data`, see `make_input_sheet`. None: the game generates nothing.
    """
    if isinstance(game, Samples):
        return _make_noise_sheet(game, data, seed)
    return make_input_sheet(game, data) if isinstance(game, TakesInputs) else None


def _make_noise_sheet(game: Samples, data: Dataset, seed: int) -> Image:
    if isinstance(game, Writes):
        text = sample_chunks(game, latents(range(seed, seed + COLUMNS**2), game.latent_dim), None)
        return draw_page(game.decode_text(text), line_width(game))
    if data.modality is POINTS:
        fake = sample_chunks(game, latents(range(seed, seed + 500), game.latent_dim), None, 500)
        return scatter(data.samples(torch.arange(min(500, len(data))))["real"], fake)
    rows = game.classes if isinstance(game, Conditional) else COLUMNS
    c = torch.arange(rows).repeat_interleave(COLUMNS) if isinstance(game, Conditional) else None
    if isinstance(game, Couples):  # each z in every class, one below the other
        z = latents(range(seed, seed + COLUMNS**2), game.latent_dim).unflatten(0, (COLUMNS, 1, COLUMNS))
        z = z[: max(1, COLUMNS // rows)].expand(-1, rows, -1, -1).flatten(0, 2)
        c = torch.arange(rows).repeat_interleave(COLUMNS).repeat(len(z) // (rows * COLUMNS))
    else:
        z = latents(range(seed, seed + rows * COLUMNS), game.latent_dim)
    images = as_pictures(sample_chunks(game, z, c))
    grid = make_grid(images, COLUMNS, legible_scale(images.shape[-1]))
    return name_rows(grid, data.classes) if _has_names(game, data) else grid


def _has_names(game: Game | Samples, data: Dataset) -> bool:
    """Whether the rows of a sheet have the names of the classes."""
    return isinstance(game, Conditional) and not isinstance(game, Couples) and len(data.classes) == game.classes


def explain_sheet(game: Game, data: Dataset) -> dict[str, str]:
    """For the metadata of a sheet: its classes whose names cannot be drawn."""
    return explain_names(data.classes) if _has_names(game, data) else {}


def tell_sheet(game: Game, data: Dataset) -> str:
    """The same as one line for the user; "" if all can be drawn."""
    return tell_names(data.classes) if _has_names(game, data) else ""


def make_input_sheet(game: TakesInputs, data: Dataset) -> Image:
    """Some samples of `data`, one row each: input, output, and the truth if the rows have it.

    They are spread evenly, because squares of one photograph follow each other.
    A translation with two directions has a part for each, and the output translated back as the last column. Of a clip the
    frames lie side by side: driving frames, output and truth below each other.

    Raises:
        DataError: the data lacks a field, or an output holds NaN.
    """
    rows = torch.tensor(spread_evenly(len(data), INPUT_ROWS))
    parts = [draw_outputs(run_task(task, data, rows)) for task in list_tasks(game)]
    return parts[0] if len(parts) == 1 else arrange_pictures(parts, 1)


def draw_outputs(outputs: Outputs) -> Image:
    """Inputs, outputs and truth as a sheet, as in `make_input_sheet`, with what they are above the columns."""
    return draw_side_by_side({"output": outputs}, 1)


def draw_side_by_side(several: Mapping[str, Outputs], scale: int = 2) -> Image:
    """What several models, by name, make of the same inputs: the inputs, the outputs of each, the truth, the ways back.

    Each pixel is `scale` times as large as in other sheets, so that names fit. Of clips each line has its name at the left.
    """
    first = next(iter(several.values()))
    inputs = first.inputs if len(first.inputs) > 1 else {"input": next(iter(first.inputs.values()))}
    shown = [*inputs.items(), *((name, outputs.output) for name, outputs in several.items())]
    if first.truth is not None and first.task.target not in first.inputs:  # the driving frames are the truth: once is enough
        shown.append(("truth", first.truth))
    backs = {name: outputs.back for name, outputs in several.items() if outputs.back is not None}
    shown += [("and back" if len(several) == 1 else f"back: {name}", back) for name, back in backs.items()]
    names = [name for name, _ in shown]
    colors = getattr(getattr(first.task.game, "config", None), "colors", ())
    blocks = [_as_frames(x, colors) for _, x in shown]
    height, width = (max(block.shape[at] for block in blocks) for at in (-2, -1))
    channels = max(block.shape[2] for block in blocks)
    blocks = [_fit(block, channels, height, width) for block in blocks]
    stills = torch.cat([blocks[0][:, :0], *(block for block in blocks if block.shape[1] == 1)], 1)
    clips = [block for block in blocks if block.shape[1] > 1]
    if not clips:
        return name_columns(make_grid(stills.flatten(0, 1), stills.shape[1], scale * legible_scale(width)), names)
    # Each clip is a row, with the still images at its left.
    lines = torch.stack([torch.cat([stills, clip], 1) for clip in clips], 1)
    grid = make_grid(lines.flatten(0, 2), lines.shape[2], scale * legible_scale(width))
    if len(several) == 1:
        return grid
    moving = [name for name, block in zip(names, blocks, strict=True) if block.shape[1] > 1]
    return name_rows(grid, moving * len(lines))


def _as_frames(kept: Tensor, legend: Sequence[Sequence[int]] = ()) -> Tensor:
    """Images, clips or label maps as kept [N, ...] -> frames [N, F, C, H, W], bytes; F is 1 but for clips.

    `legend` has the colors of the classes of label maps, RGB from 0 to 255.
    """
    kind = modality_of(kept, INPUT_MODALITIES)
    if kind is LABEL_MAPS:
        colors = [class_color(97 * i % 256, 256) for i in range(255)] + ["#000000"]  # 255: not known
        table = torch.tensor([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in colors], dtype=torch.uint8)
        if legend:
            table[: len(legend)] = torch.tensor(legend, dtype=torch.uint8)
        kept = table[kept.long()].movedim(-1, 1)
    if kind is CLIPS:
        return kept[:, torch.linspace(0, kept.shape[1] - 1, min(FRAMES, kept.shape[1])).round().long()]
    return kept[:, None]


def _fit(frames: Tensor, channels: int, height: int, width: int) -> Tensor:
    """frames [N, F, C, h, w] -> [N, F, channels, height, width]: each pixel repeated, grey in all channels."""
    if frames.shape[-2:] != (height, width):  # the input of a super-resolution
        frames = F.interpolate(frames.flatten(0, 1), (height, width)).unflatten(0, frames.shape[:2])
    return frames.expand(-1, -1, channels, -1, -1)


def line_width(game: Writes) -> int:
    """The number of letters in the longest line of a text game; a number has up to four, and a space."""
    return int(game.config.length * (1 if game.config.alphabet else 5))


def save_learning_gif(path: Path, pictures: Sequence[Path]) -> None:
    """A GIF of the pictures, each with the number of images used until then; the last one stays for two seconds.

    It has at most `LARGEST_GIF` bytes, so that it can be sent by mail or shown in a README: if need be it is halved in size,
    and has fewer colors and frames.

    Raises:
        DataError, OSError, SyntaxError, ValueError: a picture is damaged, of another size than the others, or far too large.
        ResourceError: the file cannot be written.
    """
    frames = []
    for name in pictures:
        with PIL.Image.open(name) as picture:
            frames.append((picture.copy(), [f"{int(picture.info.get('images', 0)):,} images"]))
    if len(frames) < 2:
        return
    for halvings, most, colors in FITS:
        chosen = [frames[i] for i in sorted({round(i * (len(frames) - 1) / (most - 1)) for i in range(most)})]
        shown = [caption(_halve(picture, halvings), words) for picture, words in chosen]
        few = shown[:: max(1, len(shown) // 3)]  # encoding all frames takes seconds: first see whether they could fit
        if len(encode_gif(few, 100, colors=colors)) * len(shown) / len(few) > 1.2 * LARGEST_GIF:
            continue
        data = encode_gif(shown + [shown[-1]] * 20, 100, colors=colors)
        if len(data) <= LARGEST_GIF:
            write_durably(path, data)
            return
    raise DataError(f"not even small frames of {frames[0][0].size} pixels fit into {LARGEST_GIF:,} bytes")


def _halve(picture: Image, times: int) -> Image:
    """The mean of each 2x2 pixels, some times. A sheet of small images repeats each pixel: the first halving loses nothing."""
    return picture.reduce(2**times) if times else picture
