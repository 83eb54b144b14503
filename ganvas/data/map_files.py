"""Label maps from picture files: each pixel's class by its number, by a palette or by its color.

A grey picture (`L`) and one with a palette (`P`) hold numbers; 255 means that the class is not known. In a color picture each
color of the legend is a class. Other colors, as at the antialiased edge of a brush, become the nearest color of the legend if
it is near, or else the class of the nearest pixel that has one: no new classes. Maps are resized by nearest neighbor only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganvas.core.modality import UNKNOWN
from ganvas.data.collection import ImageCollection, map_images
from ganvas.data.images import Fit, UnreadableError, open_image
from ganvas.data.legend import MOST, NAME, Color, Legend, number_classes, write_color
from ganvas.data.levels import Bytes
from ganvas.data.map_doubts import MOST_COLORS, doubt_colors
from ganvas.errors import DataError

NEAR = 24  # levels of a channel: a color this near to one of the legend is that one
LEAST = 0.001  # share of all pixels, from which on a color is a class
TRACE = 8  # levels of a channel; and
RARER = 10  # times: such a color beside a more frequent one is no class
GROW = 32  # pixels from a known class, up to which an unknown one is given it
MANY = 20_000  # colors that are compared with the legend at a time
SPARSE = 64  # numbers up to here are classes also if few of them are used
GREY = ("1", "L", "LA", "I", "F")
LOSSY = ("JPEG", "MPO")  # these change colors a little


class RawMap(NamedTuple):
    """A map as its file has it."""

    values: NDArray[np.int64]  # [H, W]: numbers, or colors as 65536 red + 256 green + blue
    numbered: bool
    clear: NDArray[np.bool_] | None = None  # [H, W]: transparent
    palette: tuple[Color, ...] = ()  # of numbers, if there is one

    def colors(self) -> NDArray[np.int64]:
        """The colors [H, W]; of numbers without a palette, greys."""
        if not self.numbered:
            return self.values
        if not self.palette:
            return self.values * 0x010101
        packed = np.zeros(256, np.int64)  # a number without a color is black
        packed[: len(self.palette)] = [pack_color(color) for color in self.palette]
        return packed[self.values]


@dataclass(frozen=True)
class MapRule:
    """How pixels of map files become classes, the same for all maps of a collection."""

    legend: Legend
    numbered: bool  # the files hold the numbers of the classes
    doubts: tuple[str, ...] = ()  # what is doubtful about the classes, a sentence each

    def classify(self, raw: RawMap) -> Bytes:
        """The class of each pixel, uint8 [H, W].

        Raises:
            UnreadableError: a number is no class of the legend, or no pixel has a color of it.
        """
        found = _by_number(raw, self.legend) if self.numbered else _by_color(raw.colors(), self.legend)
        if raw.clear is not None:
            found[raw.clear] = UNKNOWN
        return found


def read_map(file: IO[bytes]) -> RawMap:
    """A map from a picture file. Raises: UnreadableError: it is no picture, too large or damaged, or holds fractions."""
    with open_image(file) as image:
        lossy = image.format in LOSSY
        image.load()
        clear = None
        if image.mode != "P" and image.has_transparency_data:
            clear = np.asarray(image.convert("RGBA"))[..., 3] == 0
        if image.mode == "P":
            flat, values = image.getpalette("RGB") or [], np.asarray(image).astype(np.int64)
            colors = tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
            hole = image.info.get("transparency")  # the number of a color, or the alpha of each
            holes = [hole] if isinstance(hole, int) else [i for i, alpha in enumerate(hole or b"") if alpha == 0]
            return RawMap(values, True, np.isin(values, holes) if holes else None, colors)
        if (image.mode in GREY or image.mode.startswith("I;16")) and not lossy:
            grey = np.asarray(image.convert("L") if image.mode in ("1", "LA") else image)
            if grey.dtype.kind == "f" and not np.array_equal(grey, np.rint(grey)):
                raise UnreadableError("holds fractions; expected the number of a class in each pixel")
            return RawMap(grey.astype(np.int64), True, clear)
        rgb = np.asarray(image.convert("RGB")).astype(np.int64)
        return RawMap(rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], False, clear)


def choose_rule(pictures: ImageCollection, legend: Legend | None = None) -> MapRule:
    """The rule for a collection of maps, by its legend or by the numbers and colors in it. Reads every map.

    Raises:
        DataError: no map can be read, or there are too many numbers or colors to be classes.
    """
    numbers: Counter[int] = Counter()
    colors: Counter[int] = Counter()
    palettes: set[tuple[Color, ...]] = set()
    kinds: set[str] = set()

    def look(i: int) -> tuple[RawMap, Counter[int], Counter[int]]:
        raw = _open(pictures, i)
        return raw._replace(values=raw.values[:0, :0], clear=None), _count(raw.values), _count(raw.colors())

    for _, found in map_images(look, len(pictures.names)):
        if isinstance(found, str):
            continue
        raw, values, seen = found
        kinds.add("color" if not raw.numbered else "palette" if raw.palette else "grey")
        palettes |= {raw.palette} if raw.palette else set()
        colors += seen
        numbers += values if raw.numbered else Counter()
    if not kinds:
        raise DataError(f"{pictures.names[0] if pictures.names else 'no map'}: no label map can be read")
    if kinds == {"palette"} and len(palettes) == 1:
        return _rule_for_numbers(numbers, legend, next(iter(palettes)))
    if kinds == {"grey"} and (legend is not None or _are_classes(numbers)):
        return _rule_for_numbers(numbers, legend, ())
    if legend is not None:
        return MapRule(legend, numbered=False)
    chosen = _legend_of_colors(colors)
    shares = {color: colors[pack_color(color)] / colors.total() for color in chosen.colors}
    return MapRule(chosen, numbered=False, doubts=doubt_colors(shares, len(colors)))


def read_maps(pictures: ImageCollection, rule: MapRule) -> Callable[[int], Bytes]:
    """i -> the classes of map i, uint8 [H, W]. It raises `UnreadableError`."""
    return lambda i: rule.classify(_open(pictures, i))


def fit_map(classes: Bytes, resolution: int, fit: Fit) -> Bytes:
    """uint8 [H, W] -> uint8 [resolution, resolution] by nearest neighbor; "pad" fills with `UNKNOWN`. See `fit_to_side`."""
    height, width = classes.shape
    image, size, nearest = Image.fromarray(classes), (resolution, resolution), Image.Resampling.NEAREST
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return np.asarray(image.crop((left, top, left + side, top + side)).resize(size, nearest))
    if fit == "stretch":
        return np.asarray(image.resize(size, nearest))
    longer = max(width, height)
    inner = (max(1, round(width * resolution / longer)), max(1, round(height * resolution / longer)))
    ground = Image.new("L", size, UNKNOWN)
    ground.paste(image.resize(inner, nearest), ((resolution - inner[0]) // 2, (resolution - inner[1]) // 2))
    return np.asarray(ground)


def pack_color(color: Color) -> int:
    """65536 red + 256 green + blue."""
    return color[0] << 16 | color[1] << 8 | color[2]


def _open(pictures: ImageCollection, i: int) -> RawMap:
    if pictures.open is None:  # half of a picture
        rgb = pictures.read(i, 0).astype(np.int64)[..., :3]
        rgb = np.broadcast_to(rgb, (*rgb.shape[:2], 3))
        return RawMap(rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], numbered=False)
    with pictures.open(i) as file:
        return read_map(file)


def _count(values: NDArray[np.int64]) -> Counter[int]:
    found, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _are_classes(numbers: Counter[int]) -> bool:
    """Whether greys are numbers of classes, and no masks of black and white or a few grey levels."""
    used = set(numbers) - {UNKNOWN}
    if len(used) < 2:
        return UNKNOWN not in numbers
    return max(used) < max(SPARSE, 2 * len(used))


def _rule_for_numbers(numbers: Counter[int], legend: Legend | None, palette: tuple[Color, ...]) -> MapRule:
    if legend is not None:
        return MapRule(legend, numbered=True)
    used = [number for number in numbers if number != UNKNOWN]
    count = max(used, default=0) + 1
    if count > MOST:
        rows = f"{len(used):,} numbers up to {count - 1:,}"
        raise DataError(f"label maps: expected classes from 0 to {MOST - 1}, and {UNKNOWN} for not known; found {rows}")
    return MapRule(number_classes(count, palette[:count]), numbered=True)


def _legend_of_colors(colors: Counter[int]) -> Legend:
    """The colors that at least a thousandth of all pixels have, in the order of their red, green and blue."""
    least, chosen = LEAST * colors.total(), list[int]()
    for color, count in colors.most_common():
        if count < least:
            break
        if not any(RARER * count < colors[other] and _are_near(color, other) for other in chosen):
            chosen.append(color)
    chosen.sort()
    if not 1 <= len(chosen) <= MOST_COLORS:
        raise DataError(
            f"label maps: expected up to {MOST_COLORS} colors, one for each class, found {len(chosen) or len(colors):,}; save "
            f"them as PNG without smooth edges, or list the classes in a file {NAME} beside them: number, color, name; "
            "pix2pix-images takes pairs of ordinary pictures"
        )
    unpacked = tuple((color >> 16, color >> 8 & 255, color & 255) for color in chosen)
    return Legend(tuple(map(write_color, unpacked)), unpacked, colored=True)


def _are_near(first: int, second: int) -> bool:
    """Whether two colors differ so little that one is a trace of a filter that made the picture smaller."""
    return all(abs((first >> shift & 255) - (second >> shift & 255)) <= TRACE for shift in (0, 8, 16))


def _by_number(raw: RawMap, legend: Legend) -> Bytes:
    count = len(legend.names)
    if not raw.numbered:
        raise UnreadableError("holds colors, and the other maps numbers of classes; save all maps in one way")
    stranger = (raw.values >= count) & (raw.values != UNKNOWN) | (raw.values < 0)
    if stranger.any():
        number = int(raw.values[stranger][0])
        raise UnreadableError(
            f"class {number} in {int(stranger.sum()):,} pixels is not among the {count} classes; correct it, or {NAME}"
        )
    return raw.values.astype(np.uint8)


def match_colors(colors: NDArray[np.int64], legend: Legend) -> Bytes:
    """The class of each packed color [H, W], uint8 [H, W]; `UNKNOWN` where no color of the legend is near."""
    found, inverse = np.unique(colors, return_inverse=True)
    channels = np.stack([found >> 16, found >> 8 & 255, found & 255], 1).astype(np.int16)
    known = np.array(legend.colors, np.int16)
    nearest = np.full(len(found), UNKNOWN, np.uint8)
    for start in range(0, len(found), MANY):
        distance = np.abs(channels[start : start + MANY, None] - known[None]).max(2)  # [colors, classes]
        near = distance.min(1) <= NEAR
        nearest[start : start + MANY][near] = distance.argmin(1)[near]
    classes: Bytes = nearest[inverse].reshape(colors.shape)
    return classes


def _by_color(colors: NDArray[np.int64], legend: Legend) -> Bytes:
    classes = match_colors(colors, legend)
    if (classes == UNKNOWN).all():
        raise UnreadableError(f"no pixel has a color of the {len(legend.colors)} classes; correct it, or {NAME}")
    return _grow_classes(classes)


def _grow_classes(classes: Bytes) -> Bytes:
    """The map with unknown pixels as the nearest known one, up to `GROW` steps up, down, left or right of it."""
    for _ in range(GROW):
        unknown = classes == UNKNOWN
        if not unknown.any():
            break
        padded = np.pad(classes, 1, constant_values=UNKNOWN)
        around = np.stack([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
        grown: Bytes = around.min(0)  # of several neighbors the smallest class; unknown is the largest number
        classes = np.where(unknown, grown, classes)
    return classes
