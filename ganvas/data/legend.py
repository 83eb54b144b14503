"""The classes of label maps: a name and a color for each. From a file `legend.csv` beside the maps, or from the maps."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.core.modality import UNKNOWN
from ganvas.data.encodings import decode_text
from ganvas.errors import DataError
from ganvas.media.palette import class_color
from ganvas.utils.parsing import parse_index, printable

NAME = "legend.csv"
MOST = UNKNOWN - 1  # classes
MAX_LEGEND = 1 << 20  # bytes of the file
HEADINGS = {  # heading of a column -> what it holds
    **dict.fromkeys(("class", "id", "index", "number", "value"), "id"),
    **dict.fromkeys(("name", "label", "class_name", "classname", "category"), "name"),
    **dict.fromkeys(("color", "colour", "hex", "rgb"), "color"),
    **dict.fromkeys(("r", "red"), "red"),
    **dict.fromkeys(("g", "green"), "green"),
    **dict.fromkeys(("b", "blue"), "blue"),
}
PLAIN = ("id", "color", "name")  # the columns of a file without headings
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Legend:
    """The classes of label maps, in the order of their numbers."""

    names: tuple[str, ...]  # safe to print
    colors: tuple[Color, ...]  # RGB, 0 to 255
    colored: bool = False  # whether the file gives the colors; otherwise they are made up

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= MOST:
            raise DataError(f"{NAME}: expected 1 to {MOST} classes, found {len(self.names)}")
        shared = [color for color in self.colors if self.colors.count(color) > 1]
        if shared:
            raise DataError(f"{NAME}: two classes have the color {write_color(shared[0])}; give each its own")


def number_classes(count: int, colors: Sequence[Color] = ()) -> Legend:
    """A legend without names: the classes 0 to count - 1, in these colors, or in colors that differ."""
    chosen = [read_color(class_color(i, count)) for i in range(count)]
    chosen[: len(colors)] = colors[:count]
    if len(set(chosen)) < count:  # a palette may have one color twice
        chosen = [read_color(class_color(i, count)) for i in range(count)]
    return Legend(tuple(map(str, range(count))), tuple(chosen), bool(colors))


def read_legend(data: bytes) -> Legend:
    """A file `legend.csv`: a row for each class with its number, its color and its name.

    The headings `class`, `color` and `name` may come in any order, and `r`, `g`, `b` in place of `color`; without headings the
    order is number, color, name. A color is written #1a2b3c, or as three numbers. Without numbers the rows count from 0.

    Raises:
        DataError: a row cannot be read, or a number or a color appears twice.
    """
    if len(data) > MAX_LEGEND:
        raise DataError(f"{NAME}: {len(data):,} bytes; expected at most {MAX_LEGEND:,}")
    rows = _read_rows(io.StringIO(decode_text(data, NAME), newline=None).read())
    if not rows:
        raise DataError(f"{NAME}: expected a row for each class, found an empty file")
    columns: Sequence[str] = [HEADINGS.get(cell.lower().replace(" ", "_"), "") for cell in rows[0]]
    if any(columns) and parse_index(rows[0][0]) is None:
        rows = rows[1:]
        if (
            "name" not in columns
            and "id" in columns
            and any(parse_index(cell) is None for row in rows for cell in row[columns.index("id") :][:1])
        ):
            columns = ["name" if column == "id" else column for column in columns]  # the classes have names, not numbers
    else:
        columns = PLAIN
    if not rows:
        raise DataError(f"{NAME}: expected a row for each class, found the headings alone")
    found: dict[int, tuple[str, Color | None]] = {}
    for line, row in enumerate(rows):
        cells = dict(zip(columns, row, strict=False))
        number = parse_index(cells["id"]) if cells.get("id") else line
        if number is None or number >= MOST:
            raise DataError(f"{NAME}: expected a class number from 0 to {MOST - 1}, found {printable(cells.get('id'), 40)!r}")
        if number in found:
            raise DataError(f"{NAME}: class {number} has two rows; expected one")
        found[number] = (printable(cells.get("name") or number, 60), _color_of(cells))
    count = max(found) + 1
    made = number_classes(count)
    colors = [(found[i][1] if i in found else None) or made.colors[i] for i in range(count)]
    given = [color for _, color in found.values() if color is not None]
    if 0 < len(given) < len(found):
        raise DataError(
            f"{NAME}: {len(found) - len(given)} of {len(found)} classes have no color; give all of them one, or none"
        )
    colored = bool(given)
    if colored and len(found) < count:
        raise DataError(f"{NAME}: expected the classes 0 to {count - 1}, found {len(found)} of them; number them without gaps")
    names = tuple(found[i][0] if i in found else str(i) for i in range(count))
    return Legend(names, tuple(colors), colored)


def write_legend(legend: Legend) -> str:
    """The text of a file `legend.csv`, which `read_legend` reads as the same classes."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["class", *["color"] * legend.colored, "name"])
    for number, (name, color) in enumerate(zip(legend.names, legend.colors, strict=True)):
        writer.writerow([number, *[write_color(color)] * legend.colored, name])
    return file.getvalue()


def find_legend(names: Sequence[str]) -> str | None:
    """The file `legend.csv` of a collection, of several the one in the fewest folders; None: it has none."""
    found = [name for name in names if name.rpartition("/")[2].lower() == NAME]
    return min(found, key=lambda name: (name.count("/"), name), default=None)


def read_color(text: str) -> Color:
    """#1a2b3c, or three numbers from 0 to 255. Raises: DataError: it is no color."""
    if found := re.fullmatch(r"#?([0-9a-fA-F]{6})", text.strip()):
        number = int(found[1], 16)
        return number >> 16, number >> 8 & 255, number & 255
    parts = [parse_index(part) for part in re.findall(r"[^\s,;()\[\]]+", text)]
    if len(parts) != 3 or any(part is None or part > 255 for part in parts):
        raise DataError(f"{NAME}: expected a color such as #1a2b3c or 26 43 60, found {printable(text, 40)!r}")
    red, green, blue = (int(part or 0) for part in parts)
    return red, green, blue


def write_color(color: Color) -> str:
    """A color as #1a2b3c."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _read_rows(text: str) -> list[list[str]]:
    """The cells of the rows that are not empty. Raises: DataError: it is no table."""
    mark = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark)]
    except csv.Error as error:
        raise DataError(f"{NAME}: not a readable table ({printable(error, 80)}); save it again as CSV") from None
    return [row for row in rows if any(row)]


def _color_of(cells: dict[str, str]) -> Color | None:
    """The color of a row, if it has one."""
    if cells.get("color"):
        return read_color(cells["color"])
    if all(cells.get(part) for part in ("red", "green", "blue")):
        return read_color(f"{cells['red']} {cells['green']} {cells['blue']}")
    return None
