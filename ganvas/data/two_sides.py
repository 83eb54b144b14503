"""Open a source that has two sides: a folder or a zip with two folders, or two paths as `A::B`. See pair_layout.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.folder_layout import Layout, missing_test_split, take_all
from ganvas.data.images import Header, UnreadableError
from ganvas.data.legend import NAME as LEGEND
from ganvas.data.legend import find_legend
from ganvas.data.levels import Values
from ganvas.data.open import find, load
from ganvas.data.pair_layout import MOST_MATCH, Sides, align, are_numbered, common_folder, find_sides, key_of
from ganvas.data.readers import folder, zip_archive
from ganvas.data.side_names import are_sides, has_map_name
from ganvas.data.source_names import BUILT_IN, find_path, is_text, split_two
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

WIDE = 1.5  # width to height, from which on a picture may be two side by side


@dataclass(frozen=True)
class TwoSides:
    """The pictures of both sides in one split."""

    text: str  # how they were found, in words
    names: tuple[str, str]  # what the user calls the sides
    pictures: tuple[ImageCollection, ImageCollection]
    keys: tuple[Mapping[str, str], Mapping[str, str]]  # name of a picture -> its key: equal keys make a pair
    identity: tuple[tuple[str, int, int], ...]  # as in `DataSource`
    splits: tuple[str, ...] = ("train",)
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    lettered: bool = False  # trainA and trainB: see `Sides`
    legend: bytes | None = None  # of label maps
    given: bool = False  # the user said that there are two sides; two folders may be two classes

    @property
    def certain(self) -> bool:
        """Whether these are two sides, and not two folders of classes whose pictures have the same numbers."""
        named = are_sides(self.names) or are_sides(self.names[::-1])
        return self.given or self.lettered or named or (self.share >= MOST_MATCH and not are_numbered(*self.keys))

    @property
    def count(self) -> int:
        """How many pairs their names make. Of two paths the whole names count: `cat.1` and `dog.1` are no pair."""
        first, second = self.keys if self.given else align(*self.keys)[0]
        return len(set(first.values()) & set(second.values()))

    @property
    def share(self) -> float:
        """The share of the pictures that have a partner."""
        return 2 * self.count / max(1, sum(map(len, self.keys)))

    def swapped(self) -> TwoSides:
        """The sides in the other order."""
        return replace(
            self,
            names=self.names[::-1],
            pictures=self.pictures[::-1],
            keys=self.keys[::-1],
            identity=(("swapped", 0, 0), *self.identity),
        )

    @property
    def map_side(self) -> int | None:
        """Which side has the label maps, by the names of the sides, or else by the kinds of the pictures; None: neither."""
        named = [has_map_name(name) for name in self.names]
        if any(named):
            return named.index(True)
        palettes = [_are_maps(pictures) for pictures in self.pictures]
        return palettes.index(True) if any(palettes) else None


def open_two_sides(source: str, split: str = "train", swapped: bool = False) -> TwoSides | None:
    """The two sides of a source; None: it has not two, or is no source of pictures in files. `swapped`: in the other order.

    Raises:
        DataError: the source cannot be read, or it has no test split and `split` is "test".
    """
    if paths := split_two(source):
        found = _join(paths, split)
    else:
        path = find_path(source)
        if source in BUILT_IN or is_text(source) or not (path.is_dir() or path.suffix.lower() == ".zip"):
            return None
        taken = _Taken()
        contents = taken.find(path)
        pictures = load(contents)
        if not isinstance(pictures, ImageCollection):
            return None
        sides = find_sides(pictures.names)
        if sides is None:
            return None
        found = _pick(pictures, sides, split, contents, taken.legend)
    return found.swapped() if swapped else found


def cut_in_halves(source: str, split: str = "train", swapped: bool = False) -> TwoSides:
    """A collection in which each picture is two side by side: the left halves and the right halves.

    Raises:
        DataError: the source cannot be read, is no collection of pictures, or has not this split.
    """
    contents = find(source, split)
    whole = load(contents)
    if not isinstance(whole, ImageCollection):
        raise DataError(f"{printable(source)}: expected pictures, each with two side by side; found points")
    keys = {name: name for name in whole.names}
    halves = tuple(_half(whole, right) for right in (False, True))
    found = TwoSides(
        "two pictures side by side in each file",
        ("left", "right"),
        (halves[0], halves[1]),
        (keys, keys),
        (("halves", 0, 0), *contents.identity),
        whole.splits,
        whole.skipped,
        whole.warnings,
        given=True,
    )
    return found.swapped() if swapped else found


def are_side_by_side(pictures: ImageCollection, share: float = 0.9) -> bool:
    """Whether most pictures are twice as wide as high."""
    sizes = [_peek(pictures, i) for i in range(len(pictures.names))]
    wide = [size.width == 2 * size.height for size in sizes if size is not None]
    return bool(wide) and sum(wide) >= share * len(wide)


class _Taken:
    """Opens a folder or a zip with all its pictures, and keeps the legend that lies beside them."""

    def __init__(self) -> None:
        self.legend: bytes | None = None

    def find(self, path: Path) -> DataSource:
        """The source at a path, without splits and labels."""
        return (folder.find if path.is_dir() else zip_archive.find)(path, "train", self.arrange)

    def arrange(
        self,
        names: Sequence[str],
        split: str,
        read_file: Callable[[str], bytes],
        read_head: Callable[[str], bytes] = lambda _name: b"",
    ) -> Layout:
        """As `take_all`, but without an error if there are no pictures."""
        try:
            layout = take_all(names, split, read_file, read_head)
        except DataError:
            return Layout("no pictures", ())
        legend = find_legend(names)
        if legend is None:
            return layout
        self.legend = read_file(legend)
        return replace(layout, skipped=tuple(entry for entry in layout.skipped if entry.name != "*.csv"))


def _pick(pictures: ImageCollection, sides: Sides, split: str, contents: DataSource, legend: bytes | None) -> TwoSides:
    keys = sides.test if split == "test" else sides.train
    if keys is None:
        raise missing_test_split(sides.text)
    at = {name: i for i, name in enumerate(pictures.names)}
    first, second = (pictures.pick([at[name] for name in side]) for side in keys)
    return TwoSides(
        sides.text,
        sides.names,
        (first, second),
        keys,
        contents.identity,
        sides.splits,
        (*pictures.skipped, *sides.skipped),
        (*pictures.warnings, *sides.warnings),
        sides.lettered,
        legend,
    )


def _join(paths: tuple[str, str], split: str) -> TwoSides:
    """Two sources, each a side."""
    contents, sides, keys = [], list[ImageCollection](), list[dict[str, str]]()
    short = [Path(path).name or path for path in paths]
    names = [printable(path if short[0] == short[1] else name, 60) for path, name in zip(paths, short, strict=True)]
    legend = None
    for path, name in zip(paths, names, strict=True):
        try:
            contents.append(find(path, split))
        except DataError as error:
            raise DataError(f"{printable(path)}: {str(error).removeprefix(f'{printable(path)}: ')}") from None
        pictures = load(contents[-1])
        if not isinstance(pictures, ImageCollection):
            raise DataError(f"{printable(path)}: expected pictures, found points; choose two sources of pictures")
        cut = len(common_folder(pictures.names))
        keys.append({f"{name}/{each}": key_of(each[cut:]) for each in pictures.names})
        sides.append(replace(pictures.pick(range(len(pictures.names))), names=tuple(keys[-1])))
        place = find_path(path) / LEGEND
        if legend is None and place.is_file():
            legend = place.read_bytes()
    return TwoSides(
        f"{names[0]} and {names[1]}",
        (names[0], names[1]),
        (sides[0], sides[1]),
        (keys[0], keys[1]),
        (*contents[0].identity, ("::", 0, 0), *contents[1].identity),
        tuple(each for each in sides[0].splits if each in sides[1].splits),
        (*sides[0].skipped, *sides[1].skipped),
        (*sides[0].warnings, *sides[1].warnings),
        legend=legend,
        given=True,
    )


def _half(whole: ImageCollection, right: bool) -> ImageCollection:
    """The left or the right halves of pictures; of an odd width the middle column is left out."""

    def peek(i: int) -> Header:
        header = whole.peek(i)
        return header._replace(width=header.width // 2)

    def read(i: int, enough: int) -> Values:
        values = whole.read(i, enough)
        width = values.shape[1]
        if width < WIDE * values.shape[0]:
            found = f"{width} x {values.shape[0]} pixels"
            raise UnreadableError(f"{found}: expected two pictures side by side, so at least {WIDE:g} times as wide as high")
        return values[:, width - width // 2 :] if right else values[:, : width // 2]

    pictures = whole.pick(range(len(whole.names)))
    return replace(pictures, peek=peek, read=read, open=None, skipped=(), warnings=())


def _are_maps(pictures: ImageCollection, most: int = 50) -> bool:
    """Whether the first pictures have palettes, as maps have."""
    headers = [_peek(pictures, i) for i in range(min(most, len(pictures.names)))]
    return bool(headers) and all(header is not None and header.kind == "palette" for header in headers)


def _peek(pictures: ImageCollection, i: int) -> Header | None:
    try:
        return pictures.peek(i)
    except UnreadableError:
        return None
