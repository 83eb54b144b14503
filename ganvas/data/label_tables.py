"""Tables of labels beside pictures: dataset.json of StyleGAN's dataset_tool, and labels.csv with a file and a label a row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.data.labels import name_class
from ganvas.errors import DataError
from ganvas.utils.parsing import compose, printable

JSON = "dataset.json"
TABLES = (JSON, "labels.csv", "labels.tsv")  # in order of preference
FILE_COLUMNS = ("file", "file_name", "filename", "image", "name", "path", "id", "image_id")
LABEL_COLUMNS = ("label", "class", "category", "target", "labels")
MAX_TABLE = 64 << 20  # bytes of a table; and
ROW_BYTES = 512  # for each file of the collection
MAX_VALUES = 3_000_000  # values in a table, each of which takes up to 80 bytes of memory; and
ROW_VALUES = 8  # for each file of the collection
JSON_SIGNS, CSV_SIGNS = (b",", b"[", b"{", b":"), (b"\n", b"\r", b",", b";", b"\t")  # one of them before or after each value
FEW = 3  # examples in a message


@dataclass(frozen=True)
class LabelTable:
    """The label of each file as a table has it: relative name as it is compared -> name of the class."""

    name: str  # of the table
    labels: Mapping[str, str]


def is_table(name: str) -> bool:
    """Whether a file is a table of labels, by its name."""
    return name.rpartition("/")[2].lower() in TABLES


def read_table(name: str, data: bytes, files: int) -> LabelTable | None:
    """A table of labels; None if it says that there are none. `files` is the number of files of the collection.

    Raises:
        DataError: it is damaged or too large, or it gives a picture two labels.
    """
    if len(data) > MAX_TABLE + ROW_BYTES * files:
        raise DataError(f"{printable(name)}: {len(data):,} bytes for {files:,} files; expected at most {MAX_TABLE:,}")
    is_json = name.lower().endswith(".json")
    values = sum(map(data.count, JSON_SIGNS if is_json else CSV_SIGNS))
    if values > MAX_VALUES + ROW_VALUES * files:
        raise DataError(f"{printable(name)}: {values:,} values for {files:,} files; expected at most {MAX_VALUES:,}")
    rows = _read_json(name, data) if is_json else _read_csv(name, data)
    if rows is None:
        return None
    labels: dict[str, str] = {}
    for file, label in rows:
        key = clean_path(file)
        if labels.setdefault(key, label) != label:
            raise DataError(
                f"{printable(name)}: {printable(file, 80)!r} has two labels, {labels[key]!r} and {label!r}; expected one; "
                "remove one of its rows"
            )
    return LabelTable(name, labels)


def clean_path(path: str) -> str:
    """A relative path as paths are compared: "/" between folders, no "./", composed."""
    return "/".join(part for part in compose(path.strip()).replace("\\", "/").split("/") if part not in ("", "."))


def match_names(table: LabelTable, names: Iterable[str], read: Callable[[str], str]) -> tuple[dict[str, str], list[str]]:
    """The label of each name that the table has, and the rows of the table without a file.

    `read` gives a name relative to the table. A row means the file with exactly this path; else the only other file that has
    this path if capitals are left aside, and the file's own folder or ending, which the row may lack.
    """
    exact = {clean_path(read(name)): name for name in names}
    found = {exact[file]: label for file, label in table.labels.items() if file in exact}
    rest = [file for file in table.labels if file not in exact]
    near: dict[str, list[str]] = {}
    if rest:
        for path, name in exact.items():
            for key in _near_keys(path) if name not in found else ():
                near.setdefault(key, []).append(name)
    missing = []
    for file in rest:
        others = near.get(file.casefold(), [])
        if len(others) == 1 and found.setdefault(others[0], table.labels[file]) == table.labels[file]:
            continue
        missing.append(file)
    return found, missing


def _near_keys(path: str) -> set[str]:
    """A path without its capitals; also without its ending, or its folder, or both."""
    folded = path.casefold()
    base = folded.rpartition("/")[2]
    return {folded, base, folded.rpartition(".")[0], base.rpartition(".")[0]} - {""}


def describe_missing(table: LabelTable, missing: Sequence[str]) -> tuple[str, ...]:
    """A sentence about the rows of a table without a file."""
    if not missing:
        return ()
    names = ", ".join(printable(name, 80) for name in missing[:FEW])
    return (f"{printable(table.name)}: {len(missing):,} of {len(table.labels):,} names are no picture here, such as {names}",)


def _read_json(name: str, data: bytes) -> list[tuple[str, str]] | None:
    what = printable(name)
    try:
        content: Any = json.loads(data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{what} is not readable JSON: {error.msg}, {where}; correct it there") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{what} is not readable JSON: {printable(error, 80)}; expected names with labels") from None
    if not isinstance(content, dict) or "labels" not in content:
        raise DataError(f'{what}: expected {{"labels": [["name.png", 0], ...]}} or {{"labels": null}}')
    labels = content["labels"]
    if labels is None:
        return None
    rows: list[tuple[str, str]] = []
    for entry in labels if isinstance(labels, list) else [labels]:
        match entry:
            case [str(file), bool()]:
                raise DataError(f"{what}: {printable(file)}: expected a whole number as label, got a truth value")
            case [str(file), int(number)] if abs(number) < 2**63:
                rows.append((file, str(number)))
            case [str(file), float(number)] if number.is_integer() and abs(number) < 2**53:
                rows.append((file, str(int(number))))
            case [str(file), str(label)] if label.strip():
                rows.append((file, name_class(label)))
            case _:
                raise DataError(f"{what}: expected entries like [name, whole number], got {printable(repr(entry), 80)}")
    return rows


def _read_csv(name: str, data: bytes) -> list[tuple[str, str]]:
    """Rows of a file and a label. The first row names the columns, unless the table has two columns and no such names."""
    what = printable(name)
    head = data[:4096].partition(b"\n")[0].decode("utf-8", "replace")
    lines = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
    rows = csv.reader(lines, delimiter=max("\t;,", key=head.count), strict=True)
    found: list[tuple[str, str]] = []
    file, label, wide = 0, 1, 2
    try:
        for i, row in enumerate(rows):
            if not any(cell.strip() for cell in row):
                continue
            if i == 0:
                names = [cell.strip().lower() for cell in row]
                files = [names.index(each) for each in FILE_COLUMNS if each in names]
                columns = [names.index(each) for each in LABEL_COLUMNS if each in names and names.index(each) not in files[:1]]
                wide = len(row)
                if files and columns:
                    file, label = files[0], columns[0]
                    continue
                if len(row) != 2:
                    raise DataError(f"{what}: expected columns file and label, found {printable(', '.join(row), 80)!r}")
                if files or columns:  # one of two names is known: the other column is the other one
                    file, label = (files[0], 1 - files[0]) if files else (1 - columns[0], columns[0])
                    continue
            if len(row) != wide:
                raise DataError(f"{what}, line {rows.line_num}: expected {wide} columns, found {len(row)}; complete it")
            if not row[file].strip() or not row[label].strip():
                raise DataError(f"{what}, line {rows.line_num}: expected a file and its label, found an empty one; fill it in")
            found.append((row[file], _plain(row[label])))
    except UnicodeDecodeError as error:
        raise DataError(f"{what}: expected UTF-8, found the byte {error.object[error.start]:#x}; save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{what}, line {rows.line_num}: {printable(error, 80)}; correct it there") from None
    if not found:
        raise DataError(f"{what}: expected rows of a file and a label, found none")
    return found


def _plain(label: str) -> str:
    """The name of a class in a cell: 3.0, as spreadsheets write whole numbers, is 3."""
    name = name_class(label)
    whole, dot, rest = name.partition(".")
    return whole if dot and whole.removeprefix("-").isdecimal() and rest.strip("0") == "" else name
