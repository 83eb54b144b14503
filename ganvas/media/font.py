"""The fonts of text in pictures: Pillow's own for ASCII, one that comes with ganvas for Latin, Greek and Cyrillic.

A sign that neither has, such as one of Chinese, is never drawn as a box: a class is shown by its number, and `explain_names`
says in the metadata of the picture which class that is, `tell_names` in the terminal.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import ImageFont

from ganvas.errors import GanvasWarning
from ganvas.utils.parsing import printable

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FILE = Path(__file__).with_name("fonts") / "sans.ttf"
OF_DEFAULT = frozenset(map(chr, range(32, 127))) | {"…"}  # signs that Pillow's own font has
SHOWN = 5  # classes in a message
RATIO = 0.92  # size that makes this font look as large as Pillow's own


@cache
def load_wide_font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with ganvas, as large as `ImageFont.load_default(size)` looks."""
    return ImageFont.truetype(str(FILE), round(RATIO * size), layout_engine=ImageFont.Layout.BASIC)


def choose_font(texts: Sequence[str], size: int) -> Font:
    """One font for all the texts."""
    plain = all(OF_DEFAULT.issuperset(text) for text in texts)
    return ImageFont.load_default(size) if plain else load_wide_font(size)


def show_names(names: Sequence[str]) -> list[str]:
    """Names of classes as they can be drawn: those with a sign that no font has as "#" and the number of the class."""
    composed = [unicodedata.normalize("NFC", name) for name in names]
    return [name if all(map(_has, name)) else f"#{number}" for number, name in enumerate(composed)]


def explain_names(names: Sequence[str], chosen: Sequence[int] | None = None) -> dict[str, str]:
    """For the metadata of a picture: the classes that it shows by number; {} if there are none.

    `names` are those of all classes, and `chosen` the numbers of those in the picture; None: all.
    """
    legend = ", ".join(f"{number} {name}" for number, name in _list_numbered(names, chosen))
    return {"classes": legend} if legend else {}


def tell_names(names: Sequence[str], chosen: Sequence[int] | None = None) -> str:
    """For the user, as one line: the classes that a sheet shows by number; "" if there are none."""
    numbered = _list_numbered(names, chosen)
    told = ", ".join(f"{number} is {printable(name, 60)}" for number, name in numbered[:SHOWN])
    more = f" and {len(numbered) - SHOWN} more; the metadata of the picture lists all" if len(numbered) > SHOWN else ""
    return f"on the sheet {told}{more}" if told else ""


def warn_of_numbers(names: Sequence[str], chosen: Sequence[int] | None = None) -> None:
    """Tell as a `GanvasWarning` which classes a sheet that was saved shows by number, if there are any."""
    if told := tell_names(names, chosen):
        warnings.warn(told, GanvasWarning, stacklevel=3)


def _list_numbered(names: Sequence[str], chosen: Sequence[int] | None) -> list[tuple[str, str]]:
    """("#3", name) of each class, or each of `chosen`, whose name cannot be drawn."""
    pairs = list(zip(show_names(names), (unicodedata.normalize("NFC", name) for name in names), strict=True))
    kept = pairs if chosen is None else [pairs[c] for c in chosen]
    return [(shown, name) for shown, name in kept if shown != name]


def show_line(line: str) -> str:
    """A line of text as it can be drawn: "?" for a sign that no font has."""
    return "".join(sign if _has(sign) else "?" for sign in unicodedata.normalize("NFC", line))


@cache
def _has(sign: str) -> bool:
    """Whether a font has the sign: what it draws is not the box of a sign that it lacks."""
    if sign in OF_DEFAULT or sign == "\u00a0":
        return True
    if not sign.isprintable():
        return False
    found, lacking = (load_wide_font(12).getmask(each) for each in (sign, "\uffff"))
    return (found.size, bytes(found)) != (lacking.size, bytes(lacking))
