"""The report of `ganvas data` about two sides: pairs, domains, label maps with their classes."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.config import DataConfig
from ganvas.core.modality import UNKNOWN
from ganvas.data.collection import ImageCollection, map_images
from ganvas.data.computed_domains import split_name
from ganvas.data.computed_pairs import BICUBICS, TEACHERS
from ganvas.data.images import Fit, Header, silence_pillow
from ganvas.data.legend import write_color
from ganvas.data.levels import Bytes
from ganvas.data.open_fields import SETS, find_two, is_computed, open_fields
from ganvas.data.order import spread_evenly
from ganvas.data.pair_layout import MOST_MATCH
from ganvas.data.pair_table import open_domains, open_pairs
from ganvas.data.paired import PairedDataset
from ganvas.data.photo_tiles import name_pair
from ganvas.data.report_values import list_values
from ganvas.data.source_names import CLIP_SETS, naming
from ganvas.data.table import Skipped
from ganvas.data.two_sides import TwoSides
from ganvas.errors import DataError, UsageError
from ganvas.media.preview import save_pairs
from ganvas.utils.parsing import printable, spell_count

SHOWN = 32  # pairs on the preview
RECIPES = {  # made for built-in sets and for filters: the choice of `ganvas train`, which is on a higher floor
    "emoji-shading": "pix2pix-emoji",
    "emoji-styles": "cyclegan-styles",
    "earth": "pix2pix-earth",
    "bicubic-2": "sr-photos",
    "bicubic-4": "sr-photos-x4",
    **{name: f"filter-{name}" for name in TEACHERS if name != "edges"},
}
ENOUGH = 0.5  # share of the pictures with a partner, from which on two folders are reported as pairs, not as classes


@dataclass(frozen=True)
class SideFacts:
    """Numbers about the pictures of one side that can be read, at their original size."""

    name: str
    count: int
    sizes: Mapping[str, tuple[int, int]]  # min, median, max (of each side), common: width, height
    kinds: Mapping[str, int]


@dataclass(frozen=True)
class PairReport:
    """What `ganvas data` prints of two sides."""

    source: str
    layout: str
    pairs: int  # 0: two domains without pairs
    sides: tuple[SideFacts, SideFacts]  # the first is translated into the second
    resolution: int  # suggested by the pictures; a recipe has its own
    maps: bool  # whether the first side has label maps
    classes: Mapping[str, float]  # of the label maps: name -> share of all pixels
    colors: tuple[str, ...]  # of the classes
    unknown: float  # share of the pixels whose class is not known
    recipe: str  # that suits
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    made: bool = False  # whether the recipe is made for this data, and has its own resolution
    test: tuple[SideFacts, ...] = ()  # the two sides of the test split, if the source has one and another was reported
    samples: Sequence[tuple[Bytes, Bytes]] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return list_values(self)

    def text(self) -> str:
        """The report for people."""
        first, second = self.sides
        what = f"{self.pairs:,} pairs, {first.name} > {second.name}" if self.pairs else "two domains without pairs"
        lines = [f"{self.source}: {self.layout}, {what}", *(f"warning: {text}" for text in self.warnings)]
        told = [(side, "") for side in self.sides] + [(side, " of the test split") for side in self.test]
        for side, where in told:
            sizes = ", ".join(f"{word} {width} x {height}" for word, (width, height) in side.sizes.items())
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in side.kinds.items())
            count = spell_count(side.count, "pictures")
            lines.append(f"{side.name}{where}: {count}; sizes: {sizes}" + (f"; kinds: {kinds}" if kinds else ""))
        if self.maps:
            lines.append(f"classes of the label maps: {len(self.classes)}")
            shares = zip(self.classes.items(), self.colors, strict=True)
            lines += [f"  {color} {name}: {share:.1%}" for (name, share), color in shares]
            lines += [f"  not known: {self.unknown:.1%}"] if self.unknown else []
        lines.append(f"suggested: {self.recipe}" + ("" if self.made else f" --set config.resolution={self.resolution}"))
        if self.skipped:
            lines.append(f"skipped: {len(self.skipped):,}")
        return "\n".join(lines)

    def preview(self, path: str | Path) -> None:
        """Write a PNG: some pairs as networks get them, the input beside the output; of domains, pictures of both.

        Raises:
            UsageError: another kind of file.
        """
        if Path(path).suffix.lower() != ".png":
            raise UsageError(f"cannot write a preview to {Path(path).name!r}: expected a name ending in .png")
        save_pairs(self.samples, Path(path))


def inspect_pairs(
    source: str, fit: Fit = "crop", split: str = "train", *, pair: str = "", swap: bool = False, white: float | None = None
) -> PairReport | None:
    """Inspect a source with two sides. Reads every picture. None: it has no two sides, or they are two classes.

    `pair`, `swap` and `white` are the settings of `data`. Two folders are taken for classes if they are not called like the
    sides of pairs, or if fewer than half of their pictures have a partner of the same name.

    Raises:
        UsageError: `pair` is no layout of files, and no filter.
        DataError: it cannot be read, or has fewer than two pairs.
    """
    config = DataConfig(source=source, fit=fit, split=split, pair=pair, swap=swap, white=white)  # type: ignore[arg-type]
    if source in CLIP_SETS:
        return None
    if source in SETS or split_name(source)[0].startswith("filter:"):
        return _report_fields(config)
    computed = is_computed(pair)
    with naming(source), silence_pillow():
        two = find_two(config)
        if two is None:
            return _report_fields(config) if computed else None
        kind = "pairs" if computed else kind_of(two, ENOUGH)  # own pairs win over a filter if they are surely pairs
        if kind is None:
            return None
        test = _facts_of_test(two, config)
        if kind == "domains":
            return replace(_report_domains(two, config), test=test)
        if two.map_side == 1:
            two, test = two.swapped(), test[::-1]
        data = open_pairs(two, config, maps=two.map_side is not None)
        return replace(describe_pairs(source, data, two.text, _facts_of_both(two)), test=test)


def kind_of(two: TwoSides, share: float) -> str | None:
    """What two sides are: "pairs", if at least this share of the pictures has a partner, or "domains"; None: maybe classes."""
    if two.certain and not two.lettered and two.share >= share:
        return "pairs"
    return "domains" if two.lettered or two.given else None


def suggest_recipe(two: TwoSides) -> str | None:
    """The recipe for two sides; None: they may be two classes."""
    kind = kind_of(two, MOST_MATCH)
    if kind == "domains":
        return "cyclegan-images"
    return kind and ("pix2pix-images" if two.map_side is None else "spade-images")


def describe_pairs(
    source: str, data: PairedDataset, layout: str, sides: tuple[SideFacts, SideFacts], made: str = ""
) -> PairReport:
    """The report on pairs that are open: "real", and "source", "map" or "low". `made` is a recipe that is made for them."""
    field = next(name for name in data.modalities if name != "real")
    maps = field == "map"
    rows = data.rows(torch.tensor(spread_evenly(len(data), SHOWN)))
    counts = torch.zeros(256, dtype=torch.int64)
    if maps:
        palette = np.full((256, 3), 128, np.uint8)
        palette[: len(data.colors)] = data.colors
        first = palette[rows["map"].numpy()].transpose(0, 3, 1, 2)
        for part in data.fields["map"].split(1_000):
            counts += part.flatten().long().bincount(minlength=256)
    else:
        first = rows[field].numpy()
    shares = (counts.double() / counts.sum().clamp(min=1)).tolist()
    return PairReport(
        printable(source),
        layout,
        len(data),
        sides,
        data.resolution,
        maps,
        dict(zip(data.legend, shares, strict=False)),
        tuple(map(write_color, data.colors)),
        shares[UNKNOWN],
        made or ("spade-images" if maps else "pix2pix-images"),
        data.skipped,
        data.warnings,
        bool(made),
        samples=list(zip(first, rows["real"].numpy(), strict=True)),
    )


def _report_fields(config: DataConfig) -> PairReport:
    """Pairs of a built-in set, or what a filter or a bicubic reduction makes of photographs."""
    pair = "" if config.source in SETS else name_pair(config)
    first = "low" if pair in BICUBICS else "source"
    data = _open_made(config, first)
    test: tuple[SideFacts, ...] = ()
    if config.source in SETS and config.split == "train":
        test = _facts_of_made(_open_made(replace(config, split="test"), first), first)
    layout = "built-in"
    if pair and data.groups is not None:
        layout = f"squares of {spell_count(len(data.groups.unique()), 'photographs')}"
    made = RECIPES.get(pair or config.source, "")
    return replace(describe_pairs(config.source, data, layout, _facts_of_made(data, first), made), test=test)


def _open_made(config: DataConfig, first: str) -> PairedDataset:
    """Such pairs, whose input is the field `first`. Raises: DataError: the source has none."""
    data = open_fields(config, (first, "real"))
    if not isinstance(data, PairedDataset):
        raise DataError(f"{data.name}: expected pairs, found {', '.join(data.modalities)}; choose another source")
    return data


def _facts_of_made(data: PairedDataset, first: str) -> tuple[SideFacts, SideFacts]:
    names = data.names or {"low": "small", "real": "large"}

    def describe(name: str) -> SideFacts:
        side = data.fields[name].shape[-1]
        return SideFacts(names[name], len(data), dict.fromkeys(("min", "median", "max", "common"), (side, side)), {})

    return describe(first), describe("real")


def _report_domains(two: TwoSides, config: DataConfig) -> PairReport:
    data = open_domains(two, config)
    shown = min(SHOWN, len(data.a), len(data.b))
    sides = [table.rows(torch.tensor(spread_evenly(len(table), shown)))["real"].numpy() for table in (data.a, data.b)]
    return PairReport(
        printable(config.source),
        two.text,
        0,
        _facts_of_both(two),
        data.a.resolution,
        False,
        {},
        (),
        0.0,
        "cyclegan-images",
        data.skipped,
        data.warnings,
        samples=list(zip(*sides, strict=True)),
    )


def _facts_of_both(two: TwoSides) -> tuple[SideFacts, SideFacts]:
    first, second = (_facts(name, pictures) for name, pictures in zip(two.names, two.pictures, strict=True))
    return first, second


def _facts_of_test(two: TwoSides, config: DataConfig) -> tuple[SideFacts, ...]:
    """Both sides of the test split, in the order of `two`; none if it has no such split, or is that split."""
    if config.split == "test" or "test" not in two.splits:
        return ()
    tested = find_two(replace(config, split="test"))
    return () if tested is None else _facts_of_both(tested)


def _facts(name: str, pictures: ImageCollection) -> SideFacts:
    headers = [header for _, header in map_images(pictures.peek, len(pictures.names)) if isinstance(header, Header)]
    if not headers:
        return SideFacts(name, 0, {}, {})
    widths, heights = [header.width for header in headers], [header.height for header in headers]
    sizes = {
        "min": (min(widths), min(heights)),
        "median": (int(statistics.median(widths)), int(statistics.median(heights))),
        "max": (max(widths), max(heights)),
        "common": Counter(zip(widths, heights, strict=True)).most_common(1)[0][0],
    }
    kinds = Counter(header.kind for header in headers)
    return SideFacts(name, len(headers), sizes, dict(kinds.most_common()))
