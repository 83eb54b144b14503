"""Labels of pictures from CSV: a file and a label in each row, or a column of 0 and 1 for each class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from ganvas.data.encodings import HEAD, find_encoding
from ganvas.data.images import SUFFIXES
from ganvas.data.labels import NONE, name_class
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

FILE_COLUMNS = ("file", "file_name", "filename", "image", "name", "path", "id", "image_id")
LABEL_COLUMNS = ("label", "class", "category", "target", "labels")
SPLIT_COLUMNS = ("split", "subset", "partition", "is_test", "is_train")
SEPARATORS = "\t;,|"
TRUTH = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


def read_csv(what: str, data: bytes) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Rows of a file and a label, and what is doubtful.

    The first row names the columns, unless the table has two columns and no such names.

    Raises:
        DataError: a row is incomplete, or the encoding is not known; the message has the line.
    """
    encoding = find_encoding(data[:HEAD], what)
    lines, separator = _skip_notes(io.TextIOWrapper(io.BytesIO(data), encoding, newline=""), data, encoding)
    rows = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    try:
        return _read_rows(what, ((rows.line_num, row) for row in rows))
    except UnicodeDecodeError as error:
        found = f"the byte {error.object[error.start]:#x}"
        expected = encoding.upper().removesuffix("-SIG")
        raise DataError(f"{what}: expected {expected}, found {found}; save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{what}, line {rows.line_num}: {printable(error, 80)}; correct it there") from None


def _skip_notes(lines: io.TextIOWrapper, data: bytes, encoding: str) -> tuple[Iterator[str], str]:
    """The lines of a table, with empty ones instead of notes above it, and its separator, which Excel may write as sep=;"""
    head = io.StringIO(data[:4096].decode(encoding, "replace"), newline=None).read().split("\n")
    notes = 0
    while notes < len(head) and (head[notes].startswith(("# ", "sep=")) or not head[notes].strip()):
        notes += 1
    first = head[notes] if notes < len(head) else ""
    stated = [line[4:5] for line in head[:notes] if line.startswith("sep=") and line[4:5] in SEPARATORS and line[4:]]
    separator = stated[0] if stated else max(SEPARATORS, key=first.count)
    return ("\n" if i < notes else line for i, line in enumerate(lines)), separator


def _read_rows(what: str, rows: Iterator[tuple[int, Sequence[str]]]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    found: list[tuple[str, str]] = []
    file, label, wide, several = 0, 1, 0, False
    names: list[str] = []  # of the columns
    marks: dict[int, str] = {}  # the columns of 0 and 1, with the names of their classes
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if not wide:
            names, wide = [cell.strip().lower() for cell in row], len(row)
            files = [names.index(each) for each in FILE_COLUMNS if each in names]
            columns = [names.index(each) for each in LABEL_COLUMNS if each in names and names.index(each) not in files[:1]]
            header = True
            if files and columns:
                file, label = files[0], columns[0]
            elif files and wide > 2:
                file = files[0]
                unused = (file, *(i for i, name in enumerate(names) if not name or name in SPLIT_COLUMNS))
                marks = {i: name_class(cell) for i, cell in enumerate(row) if i not in unused}
            elif wide != 2:
                expected = "expected columns file and label, separated by commas, semicolons, tabs or |"
                raise DataError(f"{what}: {expected}, found {printable(', '.join(row), 80)!r}")
            elif files or columns:  # one of two names is known: the other column is the other one
                file, label = (files[0], 1 - files[0]) if files else (1 - columns[0], columns[0])
            else:
                header = False
                if _is_picture(row[1]) and not _is_picture(row[0]):
                    file, label = 1, 0
            if header:
                titles = ", ".join(row)
                continue
        if len(row) != wide:
            raise DataError(f"{what}, line {line}: expected {wide} columns, found {len(row)}; complete it")
        if not row[file].strip() or (not marks and not row[label].strip()):
            raise DataError(f"{what}, line {line}: expected a file and its label, found an empty one; fill it in")
        if not marks:
            found.append((row[file], _plain(row[label])))
            continue
        values = [TRUTH.get(row[i].strip().lower()) for i in marks]
        if None in values:
            raise DataError(
                f"{what}: expected columns file and label, or columns of 0 and 1, found {printable(titles, 80)!r}; correct it"
            )
        chosen = [name for name, value in zip(marks.values(), values, strict=True) if value]
        several |= len(chosen) != 1
        found.append((row[file], "+".join(chosen) or NONE))
    if not found:
        raise DataError(f"{what}: expected rows of a file and a label, found none; add some")
    doubts = [f"{what}: several labels a picture; each combination is read as a class of its own"] if several else []
    if split := next((name for name in names if name in SPLIT_COLUMNS), None):
        advice = "to keep pictures for tests, put them into a folder test/ beside train/"
        doubts.append(f"{what}: its column '{split}' is not read, and all pictures are trained on; {advice}")
    return found, tuple(doubts)


def _is_picture(cell: str) -> bool:
    return cell.strip().lower().endswith(SUFFIXES)


def _plain(label: str) -> str:
    """The name of a class in a cell: 3.0, as spreadsheets write whole numbers, is 3."""
    name = name_class(label)
    whole, dot, rest = name.partition(".")
    return whole if dot and whole.removeprefix("-").isdecimal() and rest.strip("0") == "" else name
