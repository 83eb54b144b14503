"""What the folders of the two sides of pairs are called: the input, the output, label maps."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ganvas.data.split_names import fold

MAPS = frozenset(
    [
        "map",
        "maps",
        "label",
        "labels",
        "labelmap",
        "labelmaps",
        "mask",
        "masks",
        "seg",
        "segs",
        "segmentation",
        "segmentations",
        "annotation",
        "annotations",
        "semantic",
        "semantics",
        "layout",
        "layouts",
    ]
)
FIRST = MAPS | frozenset(
    [
        "a",
        "x",
        "input",
        "inputs",
        "in",
        "source",
        "sources",
        "src",
        "from",
        "before",
        "sketch",
        "sketches",
        "line",
        "lines",
        "lineart",
        "outline",
        "outlines",
        "drawing",
        "drawings",
        "grey",
        "gray",
        "noisy",
        "blurry",
        "edge",
        "edges",
        "low",
        "lr",
        "blurred",
    ]
)
SECOND = frozenset(
    [
        "b",
        "y",
        "output",
        "outputs",
        "out",
        "target",
        "targets",
        "dst",
        "to",
        "after",
        "real",
        "reals",
        "photo",
        "photos",
        "picture",
        "pictures",
        "image",
        "images",
        "truth",
        "gt",
        "high",
        "hr",
        "sharp",
        "color",
        "colors",
        "colour",
        "colours",
        "colored",
        "coloured",
        "clean",
    ]
)


def has_map_name(name: str) -> bool:
    """Whether a folder is called like one of label maps."""
    return any(word in MAPS for word in _words(name))


def are_sides(names: tuple[str, str]) -> bool:
    """Whether two folders are called like the sides of pairs, such as A and B or maps and photos, and not like two classes."""
    first, second = (set(_words(name)) for name in names)
    return bool(first & FIRST and second & SECOND) or any(map(has_map_name, names))


def choose_two(inside: Mapping[str, int]) -> tuple[str, str] | None:
    """The two folders, in the order in which one is translated into the other; of more, the two with known names."""
    names = sorted((name for name in inside if name), key=fold)
    if "" in inside:  # an album with folders in it
        return None
    if len(names) > 2:
        firsts, seconds = ([name for name in names if set(_words(name)) & known] for known in (FIRST, SECOND))
        return (firsts[0], seconds[0]) if len(firsts) == len(seconds) == 1 and firsts != seconds else None
    if len(names) != 2:
        return None
    first, second = names
    backwards = bool(set(_words(second)) & FIRST and not set(_words(first)) & FIRST)
    backwards |= bool(set(_words(first)) & SECOND and not set(_words(second)) & SECOND)
    return (second, first) if backwards else (first, second)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", fold(name))
