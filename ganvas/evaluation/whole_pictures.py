"""Measure super-resolution and learned filters on whole photographs that the model was not trained on, one by one.

Papers report PSNR of whole test pictures, whose sizes differ, so they fit into no table. Distances of sets are those of squares
cut from outputs and truths. A photograph with a side of more than 1,200 pixels is shrunk to that, as for training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.core.capabilities import Translates, Upscales
from ganvas.data.collection import ImageCollection, as_bytes
from ganvas.data.computed_domains import split_name
from ganvas.data.computed_pairs import TEACHERS, find_teacher, shrink_picture
from ganvas.data.images import UnreadableError
from ganvas.data.levels import Bytes, Values
from ganvas.data.open import BUILT_IN, find, load
from ganvas.data.photo_tiles import LONGEST, name_pair, split_pair
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.evaluation.measures import COMPARE, Measurement, measure_value, name_measure
from ganvas.evaluation.sample_sets import SampleSet
from ganvas.evaluation.truth_measures import absolute_error, cap_decibels
from ganvas.games.recipes import parse_recipe
from ganvas.inference.feature_extractors import choose_extractor
from ganvas.inference.model import Model
from ganvas.inference.picture_translation import translate_one
from ganvas.metrics.confidence import mean_interval
from ganvas.metrics.luma_psnr import psnr_y, ssim_y
from ganvas.metrics.psnr import psnr
from ganvas.metrics.resize import enlarge
from ganvas.metrics.sharpness import sharpness
from ganvas.metrics.ssim import ssim
from ganvas.runtime import placement

SQUARE = 64  # pixels, of the distances
LEAST = 32  # pixels of a side: SSIM needs 11 of them, and super-resolution a part for its borders
EACH = ("mae", "psnr", "ssim", "psnr_y", "ssim_y", "sharpness")
SETS = ("fd",)  # of sets of the same places, whose kernel distance would be below that of equal distributions
LUMA = ("psnr_y", "ssim_y")  # of super-resolution only


@dataclass(frozen=True)
class Whole:
    """One photograph: what the model made, what it should have made, and the baseline; uint8 [1, C, H, W] of one shape."""

    output: Tensor
    truth: Tensor
    baseline: Tensor


def suits(model: Model, source: str) -> bool:
    """Whether `source` is photographs of the user, other than those of the training, and the pair of each can be computed."""
    data = parse_recipe(model.card["recipe"]).data
    game = model.game
    computed = isinstance(game, Upscales) or (isinstance(game, Translates) and name_pair(data) in TEACHERS)
    return computed and source != data.source and split_name(source)[1] not in BUILT_IN


def measure(
    model: Model, source: str, chosen: Sequence[str] | None = None, strength: float = 1.0
) -> tuple[dict[str, Measurement], str, tuple[str, ...], str]:
    """The measures, the reference in words, notes on files that were left out, and the name of the baseline.

    Raises:
        UsageError: a measure that does not fit.
        DataError: no photograph can be read.
    """
    enlarges = isinstance(model.game, Upscales)
    names = tuple(chosen) if chosen is not None else (*(name for name in EACH if enlarges or name not in LUMA), *SETS)
    for name in names:
        if name not in (*EACH, *SETS):
            raise unknown_name("metric of whole photographs", name, (*EACH, *SETS))
    notes: list[str] = []
    values: dict[str, list[tuple[float, float, float]]] = {}
    squares: list[list[Tensor]] = [[], [], []]
    count = 0
    for whole in translate_photographs(model, source, notes, strength):
        count += 1
        for name in names:
            if name in EACH:
                values.setdefault(name, []).append(_compare(name, whole, _scale(model)))
        for found, picture in zip(squares, (whole.output, whole.truth, whole.baseline), strict=True):
            found.append(_cut(picture))
    if not count:
        raise DataError(f"{source}: no photograph to measure; {'; '.join(notes[:3]) or 'give a folder of photographs'}")
    measures = {}
    for name, rows in values.items():
        of_output, of_truth, of_baseline = torch.tensor(rows, dtype=torch.float64).unbind(1)
        floor = float(of_truth.mean()) if name == "sharpness" else None
        measures[name_measure(name, count, "none")] = Measurement(
            *mean_interval(of_output), floor, count, "none", float(of_baseline.mean())
        )
    asked = [name for name in names if name in SETS]
    measures |= _measure_squares(model, asked, [torch.cat(each) for each in squares], notes, strict=chosen is not None)
    return measures, f"{count:,} whole photographs of {source}", tuple(notes), "bicubic" if enlarges else "copied input"


def translate_photographs(model: Model, source: str, notes: list[str], strength: float = 1.0) -> Iterator[Whole]:
    """The photographs one by one, with so much of the change; `notes` gets a line for each that cannot be read."""
    recipe = parse_recipe(model.card["recipe"])
    pair, inner = name_pair(recipe.data), split_pair(replace(recipe.data, source=source))[1]
    contents = load(find(inner, "train"))
    if not isinstance(contents, ImageCollection):
        raise DataError(f"{inner}: expected photographs, found points or solids; give a folder of photographs")
    photos, channels = as_bytes(contents), getattr(recipe.config, "channels", None)
    for i, name in enumerate(photos.names):
        try:
            pixels = _fit(photos.read(i, LONGEST), channels)
            if min(pixels.shape[:2]) < LEAST:
                height, width = pixels.shape[:2]
                raise UnreadableError(f"{width} x {height} pixels, expected at least {LEAST} on each side")
        except UnreadableError as reason:
            notes.append(f"left out: {name} ({reason})")
            continue
        if isinstance(model.game, Upscales):
            scale = model.game.scale
            height, width = (length // scale * scale for length in pixels.shape[:2])
            truth = _to_tensor(pixels[:height, :width])
            low = _to_tensor(shrink_picture(pixels, scale))
            yield Whole(_compute(model, low, strength), truth, enlarge(low, scale))
        else:
            before, after = (_to_tensor(x) for x in find_teacher(pair).make_pair(pixels))
            yield Whole(_compute(model, before, strength), after, before)


def _compute(model: Model, picture: Tensor, strength: float) -> Tensor:
    """uint8 [1, C, H, W] -> the output as bytes, as `ganvas translate` writes it."""
    found = translate_one(model, picture[0].permute(1, 2, 0).numpy(), strength=strength)
    return torch.from_numpy(found).permute(2, 0, 1)[None]


def _scale(model: Model) -> int:
    return model.game.scale if isinstance(model.game, Upscales) else 1


def _compare(name: str, whole: Whole, scale: int) -> tuple[float, float, float]:
    """A measure of the output, of the truth itself, and of the baseline."""

    def value(x: Tensor) -> float:
        if name == "sharpness":
            return float(sharpness(x))
        if name == "mae":
            return float(absolute_error(x, whole.truth))
        if name in LUMA:
            border = scale if scale > 1 else 0
            metric = psnr_y if name == "psnr_y" else ssim_y
            return float(cap_decibels(metric(x, whole.truth, border)))
        return float(cap_decibels(psnr(x, whole.truth)) if name == "psnr" else ssim(x, whole.truth))

    return value(whole.output), value(whole.truth), value(whole.baseline)


def _measure_squares(
    model: Model, names: Sequence[str], squares: Sequence[Tensor], notes: list[str], *, strict: bool
) -> Mapping[str, Measurement]:
    """Distances of squares of the outputs to squares of the truths; there is no floor, as both are of the same places."""
    if not names:
        return {}
    output, truth, baseline = squares
    network = choose_extractor("", truth.shape[1], placement.device_of(model.game))
    fake, real, trivial = (SampleSet(x, None, network) for x in (output, truth, baseline))
    measures = {}
    for name in names:
        try:
            value, interval = COMPARE[name](fake, real)
            tag = network.name if network else "none"
            measures[name_measure(name, len(truth), tag)] = Measurement(
                value, interval, None, len(truth), tag, measure_value(name, trivial, real)
            )
        except UsageError as misfit:
            if strict:
                raise
            notes.append(f"left out: {name} ({misfit})")
    return measures


def _cut(picture: Tensor) -> Tensor:
    """[1, C, H, W] -> squares [n, C, 64, 64] that do not overlap; n is 0 if it is smaller."""
    found = picture[0].unfold(1, SQUARE, SQUARE).unfold(2, SQUARE, SQUARE) if min(picture.shape[2:]) >= SQUARE else None
    if found is None:
        return picture.new_zeros(0, picture.shape[1], SQUARE, SQUARE)
    return found.permute(1, 2, 0, 3, 4).flatten(0, 1).contiguous()


def _fit(pixels: Values, channels: int | None) -> Bytes:
    """A photograph in grey or color, None: as it is, with no side above 1,200 pixels."""
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture = picture.convert("L" if (channels or pixels.shape[2]) == 1 else "RGB")
    if max(picture.size) > LONGEST:
        factor = LONGEST / max(picture.size)
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.atleast_3d(np.asarray(picture))


def _to_tensor(pixels: Bytes) -> Tensor:
    return torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))[None]
