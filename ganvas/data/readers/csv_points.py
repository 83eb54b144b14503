"""Read points from CSV and TSV files: one to three columns of numbers. Nothing is guessed silently.

The separator is that of the first line: a semicolon, a tab, a comma, |, or spaces. Between semicolons or tabs a comma in a
number is a decimal comma. The first line is a header if none of its cells begins like a number; lines that begin with #
are comments. A column whose header is empty, as pandas writes its index, is left out. Numbers may be quoted. An empty cell, a
word, or a number that float32 cannot hold is an error, with its line and column.
"""

from __future__ import annotations

import csv
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import torch

from ganvas.data.collection import ArrayCollection, DataSource, identify_file
from ganvas.data.csv_labels import LABEL_COLUMNS
from ganvas.data.encodings import HEAD, find_encoding
from ganvas.data.readers.numpy_arrays import MAX_DIMS, MAX_NUMBERS
from ganvas.data.units import keep_exact
from ganvas.errors import DataError
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import printable

MAX_CSV = 512 << 20  # bytes
MAX_LINE = 10_000  # symbols
LARGEST = float(torch.finfo(torch.float32).max)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
INDEX = re.compile(r"(unnamed: ?\d+|index|id|row|nr|no)?", re.IGNORECASE)  # usual headers of an index


def find(path: Path) -> DataSource:
    """The points of a CSV file."""
    return DataSource("CSV file", (identify_file(path),), lambda: load(path))


def load(path: Path) -> ArrayCollection:
    """Points float32 [N, D]; float64 where float32 would round them coarsely.

    Raises:
        DataError: a line is no point; the message has its number.
    """
    what = printable(path)
    with open_regular(path) as binary:
        if binary.seek(0, 2) > MAX_CSV:
            raise DataError(f"{what}: expected at most {MAX_CSV:,} bytes; save the points as .npy")
        binary.seek(0)
        encoding = find_encoding(binary.read(HEAD), what)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        return _Table(what, file).read()


class _Table:
    """One file while it is read: its separator, its header, and which of its columns are coordinates."""

    def __init__(self, what: str, file: TextIO) -> None:
        self.what, self.file, self.line = what, file, 0
        self.separator = ""
        self.header: list[str] | None = None
        self.columns: tuple[int, ...] = ()  # the coordinates
        self.width = 0  # cells of each row
        self.trailing = False  # whether every row ends with a separator

    def read(self) -> ArrayCollection:
        """All points. Raises: DataError: a line is no point."""
        numbers = array("d")
        dims, counting, rows = 0, True, 0
        for cells in self._rows():
            if not self.columns:
                if self.header is None and _is_header(cells):
                    self.header = cells
                    continue
                self._choose_columns(cells)
                dims = len(self.columns)
            if len(cells) != self.width:
                found = printable(self.separator.join(cells), 60)
                raise self._error(f"expected {self.width} numbers, found {len(cells)} cells: '{found}'")
            if self.trailing and cells[-1]:
                raise self._error(f"'{printable(cells[-1], 60)}' stands after the last column", self.width - 1)
            point = [self._number(cells[at], at) for at in self.columns]
            start = numbers[0] if rows else point[0]
            counting = counting and point[0] == start + rows
            numbers.extend(point)
            rows += 1
            if len(numbers) > MAX_NUMBERS:
                raise self._error(f"more than {MAX_NUMBERS:,} numbers; leave some rows out")
        if not rows:
            raise DataError(f"{self.what}: expected rows of 1 to {MAX_DIMS} numbers, found none; add some")
        samples = keep_exact(torch.frombuffer(numbers, dtype=torch.float64).reshape(rows, dims)).clone()
        return ArrayCollection(samples, warnings=self._doubts(dims, counting and rows > 2 and float(samples[0, 0]) in (0, 1)))

    def _rows(self) -> Iterator[list[str]]:
        """The cells of every line that is not empty, without spaces at their ends."""
        lines = self._lines()
        first = next(lines, None)
        if first is None:
            return
        if first.lower().startswith("sep=") and len(first) == 5:  # as Excel writes it
            self.separator, first = first[4], next(lines, None)
            if first is None:
                return
        else:
            self.separator = next((mark for mark in ";\t,|" if mark in first), " ")
        if self.separator == " ":
            for text in _chain(first, lines):
                yield [cell.strip('"') for cell in text.split()]
            return
        # strict: a quote that never ends would swallow the rest of the file; one line is one row
        for text in _chain(first, lines):
            try:
                rows = list(csv.reader([text], delimiter=self.separator, skipinitialspace=True, strict=True))
            except csv.Error as error:
                raise self._error(f"'{printable(text, 60)}' is no row ({error})") from None
            yield [cell.strip() for cell in rows[0]]

    def _lines(self) -> Iterator[str]:
        while text := self.file.readline(MAX_LINE + 1):
            self.line += 1
            if len(text) > MAX_LINE:
                raise self._error(f"longer than {MAX_LINE:,} symbols; expected one to {MAX_DIMS} numbers a line")
            text = text.strip(" \r\n")
            if text.strip() and not text.startswith("#"):
                yield text

    def _choose_columns(self, cells: Sequence[str]) -> None:
        """Which cells of a row are coordinates. Raises: DataError: too many."""
        self.width = len(cells)
        self.trailing = len(cells) > 1 and not cells[-1]
        columns = list(range(len(cells) - self.trailing))
        if self.header is not None and len(self.header) != len(cells):
            raise self._error(f"{len(cells)} cells, and the header has {len(self.header)}")
        if self.header is not None and not self.header[0] and len(cells) > 1:
            columns = columns[1:]
        if len(columns) > MAX_DIMS:
            raise self._error(f"expected 1 to {MAX_DIMS} numbers, found {len(columns)}; keep the columns of the points only")
        self.columns = tuple(columns)

    def _doubts(self, dims: int, counting: bool) -> tuple[str, ...]:
        if self.width - self.trailing > dims:
            return ("the first column has no header: it is taken for an index and left out",)
        titles = [self.header[at] for at in self.columns] if self.header else []
        if label := next((title for title in titles if title.lower() in LABEL_COLUMNS), None):
            how = f"the column '{printable(label, 40)}' is read as a coordinate; remove it if it has labels"
            return (f"{how}: a .npz with points and labels has both",)
        named = self.header is not None and INDEX.fullmatch(self.header[0]) is not None
        if dims > 1 and (counting or named):
            how = f"is called '{printable(self.header[0], 40)}'" if self.header and named else "counts 0, 1, 2, ..."
            return (f"the first column {how}, and is read as a coordinate; remove it if it is an index",)
        return ()

    def _spell(self, cell: str) -> str:
        """A number as Python spells it: with a point."""
        return cell.replace(",", ".") if self.separator in ";\t" and DECIMAL_COMMA.fullmatch(cell) else cell

    def _number(self, cell: str, at: int) -> float:
        """Raises: DataError: it is no number, or float32 cannot hold it."""
        try:
            value = float("no number" if "_" in cell else self._spell(cell))  # Python would take 1_0 for 10
        except ValueError:
            found = f"'{printable(cell, 60)}'" if cell else "an empty cell"
            raise self._error(f"expected a number, found {found}", at) from None
        if not math.isfinite(value):
            raise self._error(f"expected a finite number, found '{printable(cell, 60)}'", at)
        if abs(value) > LARGEST:
            raise self._error(f"'{printable(cell, 60)}' is beyond {LARGEST:.3g}, the limit of float32", at)
        return value

    def _error(self, reason: str, at: int | None = None) -> DataError:
        column = "" if at is None else f", column {at + 1}"
        return DataError(f"{self.what}, line {self.line}{column}: {reason}")


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a first line names columns: no cell begins like a number, or pandas wrote ",0,1"."""
    names = [cell for cell in cells if cell]
    numbered = not cells[0] and len(cells) > 1 and list(cells[1:]) == [str(i) for i in range(len(cells) - 1)]
    return numbered or (
        bool(names) and not any(re.match(r"[+-]?[.,]?\d|[+-]?(nan|inf)", cell, re.IGNORECASE) for cell in names)
    )


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
