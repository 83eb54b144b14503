"""The report of `ganvas data`: the contents of a data source and its problems, before training on it."""

from __future__ import annotations

import dataclasses
import hashlib
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.modality import VOXELS
from ganvas.data.builtin.point_sets import POINTS, point_source
from ganvas.data.builtin.voxel_shapes import shape_source
from ganvas.data.collection import (
    ArrayCollection,
    ImageCollection,
    Progress,
    TargetFormat,
    as_bytes,
    choose_format,
    label_readable,
    map_images,
    no_readable_image,
)
from ganvas.data.images import Fit, fit_to_side, silence_pillow
from ganvas.data.levels import Bytes
from ganvas.data.open import find, load_split, open_source
from ganvas.data.order import spread_evenly
from ganvas.data.picture_doubts import BLANK, doubt_shapes
from ganvas.data.readers import text_lines
from ganvas.data.report_values import list_values
from ganvas.data.source_names import TEXTS, doubt_name, is_text, naming, text_file
from ganvas.data.table import Skipped
from ganvas.data.units import Units, measure_units
from ganvas.errors import UsageError
from ganvas.media.preview import SHEET, save_lines, save_scatter, save_sheet
from ganvas.media.voxel_rendering import shade
from ganvas.utils.parsing import printable, spell_count
from ganvas.utils.tokens import decode_lines

EXAMPLES = 5  # pairs of duplicates in the text
SHOWN = 20  # classes or blank images in the text; to_dict has all


@dataclass(frozen=True)
class ImageFacts:
    """Numbers about images at their original size."""

    sizes: Mapping[str, tuple[int, int]]  # min, median, max (of each side), common: width, height
    kinds: Mapping[str, int]
    resolution: int  # suggested by the images; a recipe has its own
    channels: int
    duplicates: int  # images whose pixels all equal those of an earlier one
    examples: tuple[tuple[str, str], ...]
    blank: tuple[str, ...]


@dataclass(frozen=True)
class PointFacts:
    """Numbers about points, with one entry for each dimension."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """What `ganvas data` prints. One of `images`, `points` and `lines` is set; none for voxels."""

    source: str
    layout: str
    count: int
    classes: Mapping[str, int]  # name -> how many
    skipped: tuple[Skipped, ...]
    images: ImageFacts | None = None
    points: PointFacts | None = None
    lines: text_lines.TextFacts | None = None
    warnings: tuple[str, ...] = ()  # what is doubtful, a sentence each
    samples: Sequence[Bytes] | Sequence[str] | Tensor = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return list_values(self)

    def text(self) -> str:
        """The report for people."""
        kind = "images" if self.images else "points" if self.points else "lines" if self.lines else "solids"
        lines = [
            f"{self.source}: {self.layout}, {spell_count(self.count, kind)}",
            *(f"warning: {text}" for text in self.warnings),
        ]
        if self.images:
            lines += _image_lines(self.images)
        if self.lines:
            lines += self.lines.lines()
        if self.points:
            for i, (low, high, mean, sd) in enumerate(zip(*dataclasses.astuple(self.points), strict=True)):
                lines.append(f"dimension {i}: {low:.4g} to {high:.4g}, mean {mean:.4g}, standard deviation {sd:.4g}")
            if not Units(self.points.mean, self.points.sd).usual:
                lines.append("standardised for the networks, and drawn in these units again")
        if self.classes:
            most, least = max(self.classes.values()), min(self.classes.values())
            lines.append(f"classes: {len(self.classes)}, of {least:,} to {spell_count(most, kind)}")
            lines += [f"  {name}: {count:,}" for name, count in list(self.classes.items())[:SHOWN]]
            lines += _more(len(self.classes) - SHOWN)
        if self.skipped:
            lines.append(f"skipped: {len(self.skipped):,}")
        return "\n".join(lines)

    def preview(self, path: str | Path) -> None:
        """Write a PNG: a grid of up to 64 images as networks get them, a scatter plot of points, or some of the lines.

        Raises:
            UsageError: another kind of file.
        """
        if Path(path).suffix.lower() != ".png":
            raise UsageError(f"cannot write a preview to {Path(path).name!r}: expected a name ending in .png")
        if isinstance(self.samples, Tensor):
            save_scatter(self.samples, Path(path))
        elif self.lines:
            save_lines([str(line) for line in self.samples], Path(path))
        else:
            save_sheet([image for image in self.samples if not isinstance(image, str)], Path(path))


def inspect(
    source: str, fit: Fit = "crop", split: str = "train", progress: Progress | None = None, *, white: float | None = None
) -> Report:
    """Inspect a built-in source or a path. Reads every image; writes nothing. `white` is the setting `data.white`.

    Raises:
        UsageError, DataError: as `open_source` does.
    """
    with naming(source), silence_pillow():
        report = _inspect(source, fit, split, progress, white)
    return replace(report, warnings=(*doubt_name(source), *report.warnings))


def _inspect(source: str, fit: Fit, split: str, progress: Progress | None, white: float | None) -> Report:
    if source in POINTS:
        return _report_points(source, "built-in points", point_source(source, split).fields["real"])
    if source == "shapes":
        return _report_shapes(split)
    if is_text(source):
        return _report_text(source, split)
    found = find(source, split, progress)
    contents = load_split(found, source, split)
    if isinstance(contents, ArrayCollection):
        return _report_array(printable(source), found.layout, contents, split)
    contents = as_bytes(contents, white)
    looks, skipped = _summarize_images(contents, progress)
    if not looks:
        raise no_readable_image([*contents.skipped, *skipped])
    resolution, channels = choose_format(contents, TargetFormat(fit=fit))
    chosen = _choose_balanced(contents, list(looks), SHEET)
    samples = [contents.last(i, fit_to_side(contents.read(i, 2 * resolution), resolution, channels, fit)) for i in chosen]
    labels, names, doubts = label_readable(contents, list(looks), split == "test")
    doubts = (*doubts, *doubt_shapes(contents, list(looks), resolution))
    counts, layout = Counter(labels), f"{found.layout}, {contents.layout}"
    classes = {name: counts[i] for i, name in enumerate(names)}
    facts = _facts(contents, looks, resolution, channels)
    left_out, warnings = (*contents.skipped, *skipped), (*contents.warnings, *doubts, *contents.late_warnings())
    return Report(printable(source), layout, len(looks), classes, left_out, facts, warnings=warnings, samples=samples)


class _ImageSummary(NamedTuple):
    """The facts about one image that the report needs."""

    size: tuple[int, int]
    kind: str
    digest: bytes
    sd: float


def _summarize_images(pictures: ImageCollection, progress: Progress | None) -> tuple[dict[int, _ImageSummary], list[Skipped]]:
    total = len(pictures.names)
    looks: dict[int, _ImageSummary] = {}
    skipped: list[Skipped] = []

    def look(i: int) -> _ImageSummary:
        header, pixels = pictures.peek(i), pictures.read(i, 0)  # a large image may be reduced
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        size = (header.width, header.height)
        if (pixels.shape[1] > pixels.shape[0]) != (header.width > header.height):  # rotated by EXIF
            size = size[::-1]
        return _ImageSummary(size, header.kind, digest, float(pixels.std()))

    for i, result in map_images(look, total):
        if isinstance(result, str):
            skipped.append(Skipped(pictures.names[i], result))
        else:
            looks[i] = result
        if progress and ((i + 1) % 256 == 0 or i + 1 == total):
            progress(i + 1, total)
    return looks, skipped


def _facts(pictures: ImageCollection, looks: Mapping[int, _ImageSummary], resolution: int, channels: int) -> ImageFacts:
    widths, heights = zip(*(look.size for look in looks.values()), strict=True)
    common = Counter(look.size for look in looks.values()).most_common(1)[0][0]
    sizes = {
        "min": (min(widths), min(heights)),
        "median": (int(statistics.median(widths)), int(statistics.median(heights))),
        "max": (max(widths), max(heights)),
        "common": common,
    }
    first: dict[bytes, int] = {}
    pairs = [(earlier, i) for i, look in looks.items() if (earlier := first.setdefault(look.digest, i)) != i]
    examples = tuple((pictures.names[a], pictures.names[b]) for a, b in pairs[:EXAMPLES])
    blank = tuple(pictures.names[i] for i, look in looks.items() if look.sd < BLANK)
    kinds = dict(Counter(look.kind for look in looks.values()).most_common())
    return ImageFacts(sizes, kinds, resolution, channels, len(pairs), examples, blank)


def _choose_balanced(pictures: ImageCollection, readable: Sequence[int], count: int) -> list[int]:
    """Up to `count` evenly spaced images: of each class in turn, or of the whole collection."""
    groups: dict[int, list[int]] = {}
    for i in readable:
        groups.setdefault(0 if pictures.labels is None else int(pictures.labels[i]), []).append(i)
    share = -(-count // len(groups))
    ordered = [(group, min(share, len(group))) for _, group in sorted(groups.items())]
    spread = [[group[k * len(group) // shown] for k in range(shown)] for group, shown in ordered]
    turns = (group[k] for k in range(share) for group in spread if k < len(group))
    return list(turns)[:count]


def _report_points(name: str, layout: str, points: Tensor) -> Report:
    units = measure_units(points)
    facts = PointFacts(tuple(points.amin(0).tolist()), tuple(points.amax(0).tolist()), units.center, units.scale)
    picked = points[spread_evenly(len(points), 5_000)]
    picked = picked if units.usual else units.standardize(picked)  # a plot has one scale for all coordinates
    return Report(name, layout, len(points), {}, (), points=facts, samples=picked)


def _report_array(name: str, layout: str, contents: ArrayCollection, split: str) -> Report:
    """The report on points or voxels of a file."""
    labels, classes, doubts = label_readable(contents, range(len(contents.samples)), split == "test")
    layout = f"{layout}, {contents.layout}" if contents.layout else layout
    if contents.samples.ndim == 2:
        report = _report_points(name, layout, contents.samples)
    else:
        shown = contents.samples[spread_evenly(len(contents.samples), SHEET)]
        report = Report(name, layout, len(contents.samples), {}, (), samples=_draw_solids(VOXELS.normalize(shown)))
    counts = Counter(labels)
    return replace(report, classes={name: counts[i] for i, name in enumerate(classes)}, warnings=(*contents.warnings, *doubts))


def _draw_solids(solids: Tensor) -> list[Bytes]:
    """Solids float32 [N, 1, S, S, S] -> a picture of each, uint8 [C, H, W]."""
    return list(((shade(solids) + 1) * 127.5).round().to(torch.uint8).numpy())


def _report_text(source: str, split: str) -> Report:
    if source in TEXTS:
        data = open_source(DataConfig(source=source, split="test" if split == "test" else "train"))
        lines, alphabet, layout = decode_lines(data.fields["text"], data.alphabet), data.alphabet, "built-in text"
        found = text_lines.Lines(tuple(lines), alphabet)
    else:
        found, layout = text_lines.read(text_file(source)), "text file, one item a line"
    facts = text_lines.describe_lines(found.lines, found.alphabet)
    some = text_lines.pick_evenly(found.lines, SHEET)
    return Report(printable(source), layout, len(found.lines), {}, found.skipped, lines=facts, samples=some)


def _report_shapes(split: str) -> Report:
    source = shape_source(split)
    counts = {name: int((source.fields["label"] == i).sum()) for i, name in enumerate(source.classes)}
    samples = _draw_solids(source.samples(torch.arange(min(SHEET, len(source))))["real"])
    return Report("shapes", "built-in solids of 32 x 32 x 32 voxels", len(source), counts, (), samples=samples)


def _image_lines(facts: ImageFacts) -> list[str]:
    sizes = ", ".join(f"{word} {width} x {height}" for word, (width, height) in facts.sizes.items())
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in facts.kinds.items())
    color = "grey" if facts.channels == 1 else "color"
    lines = [
        f"sizes: {sizes}",
        f"kinds: {kinds}",
        f"suggested: --set config.resolution={facts.resolution} ({facts.resolution} x {facts.resolution}, {color})",
    ]
    if facts.duplicates:
        lines.append(f"exact duplicates: {facts.duplicates:,}")
        lines += [f"  {b} = {a}" for a, b in facts.examples] + _more(facts.duplicates - len(facts.examples))
    if facts.blank:
        lines.append(f"nearly blank: {len(facts.blank):,}")
        lines += [f"  {name}" for name in facts.blank[:SHOWN]] + _more(len(facts.blank) - SHOWN)
    return lines


def _more(count: int) -> list[str]:
    return [f"  and {count:,} more"] if count > 0 else []
