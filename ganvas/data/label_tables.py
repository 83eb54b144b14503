"""Tables of labels beside pictures: dataset.json of StyleGAN's dataset_tool, and labels.csv with a file and a label a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.data.csv_labels import read_csv
from ganvas.data.labels import name_class
from ganvas.errors import DataError
from ganvas.utils.parsing import compose, printable

JSON = "dataset.json"
TABLES = (JSON, "labels.csv", "labels.tsv")  # in order of preference
MAX_TABLE = 64 << 20  # bytes of a table; and
ROW_BYTES = 512  # for each file of the collection
MAX_VALUES = 3_000_000  # values in a table, each of which takes up to 80 bytes of memory; and
MAX_DEPTH = 32  # folders in front of a name
ROW_VALUES = 8  # for each file of the collection
JSON_SIGNS, CSV_SIGNS = (
    (b",", b"[", b"{", b":"),
    (b"\n", b"\r", b",", b";", b"\t", b"|"),
)  # one of them before or after each value
FEW = 3  # examples in a message


@dataclass(frozen=True)
class LabelTable:
    """The label of each file as a table has it: relative name as it is compared -> name of the class."""

    name: str  # of the table
    labels: Mapping[str, str]
    doubts: tuple[str, ...] = ()


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
    found = (_read_json(name, data), ()) if is_json else read_csv(printable(name), data)
    rows, doubts = found
    if rows is None:
        return None
    labels: dict[str, str] = {}
    for file, label in rows:
        key = clean_path(file)
        if labels.setdefault(key, label) != label:
            raise _refuse_two(name, file, labels[key], label)
    return LabelTable(name, labels, doubts)


def _refuse_two(name: str, file: str, first: str, second: str) -> DataError:
    two = f"has two labels, {first!r} and {second!r}"
    return DataError(f"{printable(name)}: {printable(file, 80)!r} {two}; expected one; remove one of its rows")


def clean_path(path: str) -> str:
    """A relative path as paths are compared: "/" between folders, no "./", composed."""
    return "/".join(part for part in compose(path.strip()).replace("\\", "/").split("/") if part not in ("", "."))


def match_names(
    table: LabelTable, names: Iterable[str], read: Callable[[str], str]
) -> tuple[dict[str, str], list[str], tuple[str, ...]]:
    """The label of each name that the table has, the rows of the table without a file, and what is doubtful.

    `read` gives a name relative to the table. A row means the file with exactly this path; else the only other file that has
    this path if capitals are left aside, and the file's own folder or ending, which the row may lack. If no row has a file,
    the first folders of the rows are left out: tables often have absolute paths of another machine.

    Raises:
        DataError: two rows mean one file, and have different labels.
    """
    exact = {clean_path(read(name)): name for name in names}
    found = {exact[file]: label for file, label in table.labels.items() if file in exact}
    rest = [file for file in table.labels if file not in exact]
    near: dict[str, list[str]] = {}
    spelled: dict[str, list[str]] = {}  # the files with a row of their own
    for path, name in exact.items() if rest else ():
        keys, places = (
            (_near_keys(path), near)
            if name not in found
            else ({path.casefold(), path.casefold().rpartition(".")[0]} - {""}, spelled)
        )
        for key in keys:
            places.setdefault(key, []).append(name)
    missing = []
    for file in rest:
        label, others = table.labels[file], near.get(file.casefold(), [])
        others = others if len(others) == 1 else spelled.get(file.casefold(), [])
        if len(others) != 1:
            missing.append(file)
        elif found.setdefault(others[0], label) != label:
            raise _refuse_two(table.name, file, found[others[0]], label)
    return (found, missing, table.doubts) if found else _match_ends(table, exact, missing)


def _match_ends(
    table: LabelTable, exact: Mapping[str, str], rows: Sequence[str]
) -> tuple[dict[str, str], list[str], tuple[str, ...]]:
    """As `match_names`, by the longest end of each row that is the path of a file."""
    found: dict[str, str] = {}
    missing = []
    for file in rows:
        parts = file.split("/")
        ends = ("/".join(parts[i:]) for i in range(1, min(len(parts), MAX_DEPTH)))
        end = next((end for end in ends if end in exact), None)
        if end is None:
            missing.append(file)
        elif found.setdefault(exact[end], table.labels[file]) != table.labels[file]:
            raise _refuse_two(table.name, end, found[exact[end]], table.labels[file])
    example = next((file for file in rows if file not in missing), "")
    doubt = f"{printable(table.name)}: its names have folders in front that are not here, such as {printable(example, 80)!r}"
    return found, missing, (*table.doubts, f"{doubt}; they are left out")


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


def _require_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key appears twice")
    return values


def _read_json(name: str, data: bytes) -> list[tuple[str, str]] | None:
    what = printable(name)
    try:
        content: Any = json.loads(data, object_pairs_hook=_require_distinct)
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
