"""The layout of an image collection, from its file names: splits, classes, labels. The same for folders and zip files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganvas.data.images import FORMATS, SUFFIXES
from ganvas.data.label_tables import JSON, TABLES, LabelTable, describe_missing, is_table, match_names, read_table
from ganvas.data.labels import doubt_alike, doubt_classes, number_labels, sort_classes
from ganvas.data.split_names import DOMAIN, LIKE_A_SPLIT, fold, is_usual, read_split_name
from ganvas.data.splits import Parts, find_parts, has_class_folders
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.utils.parsing import compose, printable, spell_count

BOTH = ("train", "test")
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"GIF8", b"II*\0", b"MM\0*")  # how files of the six formats begin
FEW = 3  # files in a sentence
OTHER_TABLE = re.compile(r".*\.(csv|tsv|jsonl?|xlsx?|parquet)|.*(label|class|annotation|metadata).*\.txt", re.IGNORECASE)
HEAD = 4  # bytes of the longest signature


@dataclass(frozen=True)
class Layout:
    """The images of one split: its members in order, with their labels."""

    text: str
    members: tuple[str, ...]
    labels: tuple[int, ...] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    splits: tuple[str, ...] = ("train",)  # the splits that the collection has
    warnings: tuple[str, ...] = ()  # what is doubtful, a sentence each


Arrange = Callable[[Sequence[str], str, Callable[[str], bytes], Callable[[str], bytes]], Layout]  # `arrange`, `take_all`


def arrange(
    names: Sequence[str],
    split: str,
    read_file: Callable[[str], bytes],
    read_head: Callable[[str], bytes] = lambda _name: b"",
) -> Layout:
    """The layout of a collection from the relative names (with "/") of all its files.

    `read_file` reads a table of labels; `read_head` the first bytes of a file without an ending, which decide what it is.

    Raises:
        DataError: it has no images, or not this split, or its table of labels cannot be used.
    """
    seen, members, skipped = drop_hidden_files(names, lambda name: read_head(name).startswith(SIGNATURES))
    tables = [name for name in seen if is_table(name)]
    parts = find_parts(members, tables)
    used, unused = _choose_tables(parts, tables)
    if split == "test" and not parts.test:
        raise missing_test_split(used[0] if used else "train/ alone" if parts.text else "no folder train/")
    read = [table for name in used if (table := read_table(name, read_file(name), len(seen))) is not None]
    skipped = (*skipped, *parts.skipped, *unused)
    splits, chosen = BOTH if parts.test else ("train",), parts.test if split == "test" else parts.train
    what = f"{parts.folders[split == 'test']} {parts.text}, ".lstrip() if parts.text else ""
    warnings = parts.warnings + _doubt_root(parts)
    if used and not read:
        return Layout(f"{what}StyleGAN layout ({JSON} without labels)", chosen, None, (), skipped, splits, warnings)
    found = _label_by_tables(parts, chosen, read) if read else _label_by_folders(parts, chosen)
    if found.labels is None:
        warnings += _doubt_other_tables(parts, seen)
    if split != "test" and found.classes and parts.test:
        warnings += _doubt_test_split(parts, read)
    return Layout(
        what + found.text,
        found.members,
        found.labels,
        found.classes,
        skipped + found.skipped,
        splits,
        warnings + found.warnings,
    )


def take_all(
    names: Sequence[str],
    _split: str,
    _read_file: Callable[[str], bytes],
    read_head: Callable[[str], bytes] = lambda _name: b"",
) -> Layout:
    """Every image of a collection, in the order of the names, without splits and labels. Arguments and errors as `arrange`."""
    _, members, skipped = drop_hidden_files(names, lambda name: read_head(name).startswith(SIGNATURES))
    return Layout("pictures", tuple(members), skipped=skipped)


def drop_hidden_files(
    names: Sequence[str], is_picture: Callable[[str], bool]
) -> tuple[list[str], list[str], tuple[Skipped, ...]]:
    """All names without hidden files, the names of images, and the other files. Raises: DataError: no images.

    `is_picture` decides about a file without an ending.
    """
    seen = sorted(name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))
    members: list[str] = []
    others: Counter[str] = Counter()
    for name in seen:
        if name.lower().endswith(SUFFIXES) or ("." not in name.rpartition("/")[2] and is_picture(name)):
            members.append(name)
        elif not is_table(name):
            others[_suffix(name)] += 1
    if not members:
        found = f"found {_list_endings(others)}; convert them" if others else "found nothing; put pictures into it"
        raise DataError(f"no pictures: expected {', '.join(FORMATS)} files; {found}, or choose other data")
    skipped = tuple(Skipped(f"*{suffix}", f"{count:,} not {'/'.join(FORMATS)}") for suffix, count in sorted(others.items()))
    return seen, members, skipped


def missing_test_split(what: str) -> DataError:
    """The error for a collection without a test split."""
    return DataError(f"no test split: expected a folder test/ beside train/, found {printable(what)}; use split train")


def _suffix(name: str) -> str:
    base = name.split("/")[-1]
    return printable("." + base.rsplit(".", 1)[1].lower(), 20) if "." in base else " (no ending)"


def _list_endings(others: Counter[str]) -> str:
    return ", ".join(f"{count:,} *{suffix}" for suffix, count in others.most_common(5))


def _choose_tables(parts: Parts, tables: Sequence[str]) -> tuple[list[str], tuple[Skipped, ...]]:
    """The tables of labels that are used: one beside the pictures, else one in each split; and the others."""
    used: list[str] = []
    for places in ([parts.root], [parts.root + folder for folder in parts.folders if folder]):
        if not used:
            here = [[name for kind in TABLES for name in tables if name.lower() == (place + kind).lower()] for place in places]
            used = [found[0] for found in here if found]
    where = printable(parts.root) or "the main folder"
    at = {name.rpartition("/")[0]: name.rpartition("/")[2] for name in used}
    others = ((name, name.rpartition("/")[0]) for name in tables if name not in used)
    return used, tuple(
        Skipped(printable(name), f"not used: {at[place]} is" if place in at else f"not used: expected one in {where}")
        for name, place in others
    )


def _label_by_tables(parts: Parts, chosen: Sequence[str], tables: Sequence[LabelTable]) -> Layout:
    """The labels of the tables; the classes are those of the training split.

    Raises:
        DataError: a table names no picture that is here.
    """
    labels: dict[str, str] = {}
    warnings: list[str] = []
    for table in tables:
        place = table.name[: len(table.name) - len(table.name.rpartition("/")[2])]
        beside = [name for name in (*parts.train, *parts.test) if name.startswith(place)]
        found, missing, doubts = match_names(table, beside, lambda name, cut=len(place): name[cut:])  # type: ignore[misc]
        if not found:
            what = f"{printable(table.name)}: none of its {len(table.labels):,} names is a picture here"
            example = f", found {printable(missing[0], 80)!r}" if missing else ""
            raise DataError(f"{what}; expected names relative to it{example}; correct them")
        labels |= found
        warnings += (*doubts, *describe_missing(table, missing))
    what = printable(tables[0].name.rpartition("/")[2])
    trained = [labels[name] for name in parts.train if name in labels]
    classes = sort_classes(trained)
    if not classes:
        raise DataError(f"{what}: no picture of the training split has a label in it; label some")
    warnings += (*doubt_classes(trained, classes, what), *doubt_alike(classes))
    text = f"StyleGAN layout ({what} with labels)" if what == JSON else f"pictures with labels in {what}"
    bare = tuple(Skipped(printable(name), f"no label in {what}") for name in chosen if name not in labels)
    return _number(text, [(name, labels[name]) for name in chosen if name in labels], classes, bare, tuple(warnings))


def _label_by_folders(parts: Parts, chosen: Sequence[str]) -> Layout:
    """The folders directly below the splits as classes, if there are two or more; those of the training split."""
    inside = Counter(_class_of(parts.inside(name)) for name in parts.train)
    if not has_class_folders(inside):
        folders = len(inside) - ("" in inside)
        beside = f"{spell_count(inside[''], 'pictures')} {'lies' if inside[''] == 1 else 'lie'} beside {folders:,} folders"
        advice = "to train with classes, move each picture into the folder of its class"
        doubt = f"{beside}: all are read, without labels; {advice}"
        return Layout("pictures without labels", tuple(chosen), warnings=(doubt,) if folders > 1 else ())
    folders_of = {name.split("/", 1)[0] for name in map(parts.inside, parts.train) if "/" in name}
    classes = tuple(sorted(name for name in inside if name))
    strays = [name for name in parts.train if not _class_of(parts.inside(name))]
    warnings = (*_doubt_folders(parts, classes), *doubt_alike(classes))
    if len(folders_of) > len(classes):
        warnings += ("folders with one name in two Unicode forms are read as one class",)
    if strays:
        some = ", ".join(map(printable, strays[:3])) + (f" and {len(strays) - 3:,} more" if len(strays) > 3 else "")
        count = f"{len(strays):,} of {len(parts.train):,}"
        warnings += (f"pictures beside the folders of the classes are left out ({count}): {some}",)
    rows = [(name, _class_of(parts.inside(name))) for name in chosen]
    skipped = tuple(Skipped(printable(name), "beside the folders of the classes") for name, of in rows if not of)
    return _number("one folder per class", [row for row in rows if row[1]], classes, skipped, warnings)


def _number(
    text: str,
    rows: Sequence[tuple[str, str]],
    classes: tuple[str, ...],
    skipped: tuple[Skipped, ...],
    warnings: tuple[str, ...],
) -> Layout:
    """The layout of names with the names of their classes. Raises: DataError: none is of a class of the training split."""
    numbers = number_labels([of for _, of in rows], classes)
    strangers = [name for (name, _), number in zip(rows, numbers, strict=True) if number is None]
    skipped += tuple(Skipped(printable(name), "its class is not in train/") for name in strangers)
    kept = [(name, number) for (name, _), number in zip(rows, numbers, strict=True) if number is not None]
    if not kept:
        names = ", ".join(map(printable, classes[:20]))
        raise DataError(f"no picture of this split is of a class of the training split: {names}; name its folders so")
    members, labels = zip(*kept, strict=True)
    return Layout(text, members, labels, tuple(map(printable, classes)), skipped, warnings=warnings)


def _doubt_other_tables(parts: Parts, names: Sequence[str]) -> tuple[str, ...]:
    """A sentence about files that look like tables of labels beside pictures that have no labels."""
    places = {parts.root, *(parts.root + folder for folder in parts.folders)}
    found = [name for name in names if name[: name.rfind("/") + 1] in places and OTHER_TABLE.fullmatch(name.rpartition("/")[2])]
    if not 0 < len(found) <= FEW:
        return ()
    some = ", ".join(map(printable, found))
    return (f"{some}: not read; if it has a file and a label in each row, call it labels.csv to train with classes",)


def _doubt_test_split(parts: Parts, tables: Sequence[LabelTable]) -> tuple[str, ...]:
    """A sentence about pictures of the test split that have none of the classes of the training split."""
    try:
        found = _label_by_tables(parts, parts.test, tables) if tables else _label_by_folders(parts, parts.test)
        lost = [name for name, _ in found.skipped]
    except DataError:  # none of them has
        lost = [printable(name) for name in parts.test]
    if not lost:
        return ()
    count = f"{len(lost):,} of {len(parts.test):,} pictures"
    return (f"test split: {count} have no class of the training split and are not measured, such as {lost[0]}",)


def _class_of(path: str) -> str:
    """The composed name of the first folder of a path; "" if there is none."""
    return compose(path.split("/", 1)[0]) if "/" in path else ""


def _doubt_root(parts: Parts) -> tuple[str, ...]:
    """A sentence if the only split is a test split, which is read as the training split."""
    splits = ((name, read_split_name(name)) for name in parts.root.split("/"))
    alone = next((name for name, split in splits if split and not split.train and not split.rest), None)
    if alone is None:
        return ()
    return (f"there is no training split beside {printable(alone)}/: its pictures are read as the training split",)


def _doubt_folders(parts: Parts, classes: Sequence[str]) -> tuple[str, ...]:
    """Sentences about classes whose names look like splits, and about folders that hold classes of their own."""
    warnings: tuple[str, ...] = ()
    exact = [name for name in classes if is_usual(name)]
    spelled = (LIKE_A_SPLIT, DOMAIN)
    alike = [name for name in classes if read_split_name(name) or any(each.fullmatch(fold(name)) for each in spelled)]
    if exact or len(alike) > 1:
        names = ", ".join(map(printable, alike[:3]))
        warnings += (f"{names}: read as classes, though called like splits; splits are folders train/ and test/ side by side",)
    below: dict[str, set[str]] = {name: set() for name in classes}
    for name in map(parts.inside, parts.train):
        if of := _class_of(name):
            rest = name.split("/", 1)[1]
            below[of].add(rest.split("/", 1)[0] if "/" in rest else "")
    nested = [name for name in classes if len(below[name]) > 1 and "" not in below[name]]
    if nested and len(nested) < len(classes):
        name = nested[0]
        inner = ", ".join(printable(each) for each in sorted(below[name])[:3])
        warnings += (f"{printable(name)}/ is read as one class, though all its pictures are in folders of its own: {inner}",)
    return warnings
