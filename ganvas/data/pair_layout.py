"""Two sides of a collection, and which pictures of them belong together: from file names alone, never from their order.

The sides are trainA/ and trainB/, or two folders, with the splits around or inside them. A picture is paired with the one of
the other side that has the same subfolders and the same name; the ending does not count, nor the Unicode form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ganvas.data.side_names import choose_two
from ganvas.data.split_names import DOMAIN, TEST_FOLDERS, TRAIN_FOLDERS, fold, name_splits
from ganvas.data.splits import are_strays, count_folders
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.utils.parsing import compose, printable, spell_count

SHOWN = 3  # names in a sentence
FEWEST = 2  # pairs
MOST_MATCH = 0.9  # share of the pictures below which a sentence says that many have no partner


@dataclass(frozen=True)
class Sides:
    """The two sides of a collection; each of the pairs below has the first side, which is translated, first."""

    text: str  # in words
    names: tuple[str, str]  # what the user calls them, safe to print
    train: tuple[Mapping[str, str], Mapping[str, str]]  # member -> its key: subfolders and name without ending
    test: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    lettered: bool = False  # trainA and trainB: made for games without pairs, where some equal numbers mean nothing

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that both sides have."""
        return ("train", "test") if self.test else ("train",)


@dataclass(frozen=True)
class Pairing:
    """The pairs of two sides."""

    rows: tuple[tuple[str, str], ...]  # members of the first and of the second side, in the order of their keys
    skipped: tuple[Skipped, ...]  # those without a partner
    warnings: tuple[str, ...] = ()
    share: float = 1.0  # of the pictures that have a partner


def find_sides(members: Sequence[str]) -> Sides | None:
    """The two sides of a collection, from the names of all its pictures; None: it has not two.

    Raises:
        DataError: a split has only one of the sides.
    """
    root, loose = _find_root(members)
    within = [name for name in members if name.startswith(root) and name not in loose]
    found = _find_lettered(root, within) or _find_inside_splits(root, within) or _find_folders(root, within)
    if found is None:
        return None
    beside = tuple(Skipped(printable(name), "beside the folders of the two sides") for name in sorted(loose))
    return Sides(found.text, found.names, found.train, found.test, (*found.skipped, *beside), found.warnings, found.lettered)


def match(first: Mapping[str, str], second: Mapping[str, str], names: tuple[str, str]) -> Pairing:
    """Pair the members of two sides by their keys; `names` are those of the sides.

    If no key is on both sides, what all names of a side begin or end with is left out: `1_photo` and `1_mask` are a pair.

    Raises:
        DataError: there are fewer than two pairs.
    """
    keys, left_out = align(first, second)
    warnings = [f"names are compared without {left_out[0]} in {names[0]}, and without {left_out[1]} in {names[1]}"] * any(
        left_out
    )
    by_key, skipped = [], list[Skipped]()
    for side in keys:
        chosen: dict[str, str] = {}
        for member, key in sorted(side.items()):
            if chosen.setdefault(key, member) != member:
                skipped.append(Skipped(printable(member), f"{printable(chosen[key])} has the same name"))
        by_key.append(chosen)
    both = sorted(by_key[0].keys() & by_key[1].keys())
    for mine, other, name in ((by_key[0], by_key[1], names[1]), (by_key[1], by_key[0], names[0])):
        missing = sorted(member for key, member in mine.items() if key not in other)
        skipped += [Skipped(printable(member), f"no picture of this name in {name}") for member in missing]
    total = len(first) + len(second)
    share = 2 * len(both) / max(1, total)
    if len(both) < FEWEST:
        shown = " and ".join(f"{names[i]}: {_list(keys[i])}" for i in (0, 1))
        raise DataError(
            f"{spell_count(len(both), 'pairs')}: expected pictures of the same names on both sides, found {shown}; name each "
            "pair alike, or use a game without pairs: cyclegan-images"
        )
    if share < MOST_MATCH:
        warnings.append(
            f"{total - 2 * len(both):,} of {total:,} pictures have no partner of the same name and are left out; name each "
            "pair alike"
        )
    return Pairing(tuple((by_key[0][key], by_key[1][key]) for key in both), tuple(skipped), tuple(warnings), share)


def align(
    first: Mapping[str, str], second: Mapping[str, str]
) -> tuple[tuple[Mapping[str, str], Mapping[str, str]], tuple[str, str]]:
    """The keys of two sides by which their members are compared, and what of the names of each is left out, in words.

    Nothing is, unless no key is on both sides.
    """
    if not set(first.values()) & set(second.values()):
        (cut_first, what_first), (cut_second, what_second) = map(_cut_common, (first, second))
        if set(cut_first.values()) & set(cut_second.values()):
            return (cut_first, cut_second), (what_first, what_second)
    return (first, second), ("", "")


def are_numbered(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Whether half of the names are mere numbers, but for what all of a side have: pictures of two classes may be called so."""
    stems = [key.rpartition("/")[2] for side in (first, second) for key in _cut_common(side)[0].values()]
    return 2 * sum(re.search(r"[^\W\d_]", stem) is None for stem in stems) >= len(stems)


def key_of(path: str) -> str:
    """The key of a path relative to its side: composed, without the ending."""
    head, slash, name = compose(path).rpartition("/")
    stem = name.rpartition(".")[0] or name
    return f"{head}{slash}{stem}"


def common_folder(members: Sequence[str]) -> str:
    """The folder that holds all members: "" or "archive/faces/"."""
    return _find_root(members, strays=False)[0]


def _find_root(members: Sequence[str], strays: bool = True) -> tuple[str, set[str]]:
    """The folder that holds everything, below folders with nothing else in them but strays; and the strays."""
    root, loose = "", set[str]()
    while True:
        inside = count_folders(root, members)
        names = [name for name in inside if name]
        beside = {name for name in members if name.startswith(root) and "/" not in name[len(root) :]}
        if beside and not (strays and are_strays(len(beside), inside.total() - len(beside))):
            return root, loose
        loose |= beside
        if len(names) != 1:
            return root, loose
        root += f"{names[0]}/"


def _find_lettered(root: str, members: Sequence[str]) -> Sides | None:
    """trainA/ and trainB/, testA/ and testB/."""
    folders = {name: found for name in count_folders(root, members) if (found := DOMAIN.fullmatch(fold(name)))}
    at = {(found[1], found[2]): f"{root}{name}/" for name, found in folders.items()}
    train = next((word for word in TRAIN_FOLDERS if {(word, "a"), (word, "b")} <= at.keys()), None)
    if train is None:
        return None
    tests = [word for word in TEST_FOLDERS if (word, "a") in at or (word, "b") in at]
    test = next((word for word in tests if {(word, "a"), (word, "b")} <= at.keys()), None)
    used = [at[word, letter] for word in (train, test) if word for letter in "ab"]
    return Sides(
        f"{printable(at[train, 'a'])} and {printable(at[train, 'b'])}",
        ("A", "B"),
        _keys(members, at[train, "a"], at[train, "b"]),
        None if test is None else _keys(members, at[test, "a"], at[test, "b"]),
        _leave_out(members, used),
        lettered=True,
    )


def _find_inside_splits(root: str, members: Sequence[str]) -> Sides | None:
    """train/A and train/B, test/A and test/B."""
    trains, tests = name_splits(count_folders(root, members))
    if len(trains) != 1:
        return None
    train, test = f"{root}{trains[0]}/", f"{root}{tests[0]}/" if tests else ""
    train, test = (place and _find_root([name for name in members if name.startswith(place)])[0] for place in (train, test))
    chosen = choose_two(count_folders(train, members))
    if chosen is None:
        return None
    tested = None
    if test:
        there = {fold(name): name for name in count_folders(test, members) if name}
        missing = [name for name in chosen if fold(name) not in there]
        if missing:
            raise DataError(
                f"{printable(test)}: expected the folders {printable(chosen[0])} and {printable(chosen[1])}, as in "
                f"{printable(train)}, found {_list(there.values())}; name them alike"
            )
        tested = _keys(members, *(f"{test}{there[fold(name)]}/" for name in chosen))
    used = [f"{place}{name}/" for place in (train, test) if place for name in chosen]
    text = f"{_name_both(chosen)} in {printable(train)}"
    return Sides(text, _safe(chosen), _keys(members, *used[:2]), tested, _leave_out(members, used))


def _find_folders(root: str, members: Sequence[str]) -> Sides | None:
    """A/ and B/, each with splits inside it or not."""
    folders = count_folders(root, members)
    chosen = choose_two(folders)
    if chosen is None or all(name_splits(folders)):  # train/ and test/ of one collection
        return None
    places = [f"{root}{name}/" for name in chosen]
    splits = [name_splits(count_folders(place, members)) for place in places]
    if all(len(trains) == 1 for trains, _ in splits):
        inner = [f"{place}{trains[0]}/" for place, (trains, _) in zip(places, splits, strict=True)]
        tests = [f"{place}{tests[0]}/" if tests else "" for place, (_, tests) in zip(places, splits, strict=True)]
        tested = _keys(members, *tests) if all(tests) else None
        skipped = _leave_out(members, [*inner, *filter(None, tests)])
        return Sides(f"{_name_both(chosen)} with splits inside", _safe(chosen), _keys(members, *inner), tested, skipped)
    return Sides(_name_both(chosen), _safe(chosen), _keys(members, *places), None, _leave_out(members, places))


def _keys(members: Sequence[str], first: str, second: str) -> tuple[dict[str, str], dict[str, str]]:
    """Member -> key of the members below two folders."""
    a, b = ({name: key_of(name[len(place) :]) for name in members if name.startswith(place)} for place in (first, second))
    return a, b


def _leave_out(members: Sequence[str], used: Sequence[str]) -> tuple[Skipped, ...]:
    """The folders that are not used, with the number of their pictures."""
    others = Counter(name.rpartition("/")[0] for name in members if not name.startswith(tuple(used)))
    told = {name: f"{spell_count(count, 'pictures')} beside the two sides" for name, count in others.items()}
    return tuple(Skipped(f"{printable(name)}/", reason) for name, reason in told.items())


def _cut_common(side: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The keys without what all names begin and end with, digits excepted, and these parts in words."""
    stems = [key.rpartition("/")[2] for key in side.values()]
    begin = re.sub(r"\d+$", "", _begin_of(stems))
    end = re.sub(r"^\d+", "", _begin_of([stem[len(begin) :][::-1] for stem in stems])[::-1])
    what = " and ".join(repr(printable(part)) for part in (begin, end) if part) or "anything"

    def cut(key: str) -> str:
        head, slash, stem = key.rpartition("/")
        return f"{head}{slash}{stem[len(begin) : len(stem) - len(end)]}"

    return {member: cut(key) for member, key in side.items()}, what


def _begin_of(words: Sequence[str]) -> str:
    """What all of several words begin with; "" for a single one."""
    if len(words) < 2:
        return ""
    first, last = min(words), max(words)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _safe(names: tuple[str, str]) -> tuple[str, str]:
    return printable(names[0]), printable(names[1])


def _name_both(names: tuple[str, str]) -> str:
    return f"{printable(names[0])}/ and {printable(names[1])}/"


def _list(names: Iterable[str]) -> str:
    some = sorted(names)
    return ", ".join(printable(name, 60) for name in some[:SHOWN]) + (", ..." if len(some) > SHOWN else "") or "nothing"
