"""Which folders of a collection are its splits, which are its classes, and what only lies beside them. From names alone.

Names are compared as a reader sees them: composed (Unicode NFC); those of splits also without regard to capitals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ganvas.data.split_names import DOMAIN, TEST_FOLDERS, TRAIN_FOLDERS, fold, is_usual, name_splits
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.utils.parsing import printable, spell_count

FEW = 3  # pictures beside folders that are always strays, not part of an album


def _same(path: str) -> str:
    return path


@dataclass(frozen=True)
class Parts:
    """The training and the test pictures of a collection, and what is beside them."""

    root: str  # the folder that the names below are relative to: "" or "archive/faces/"
    train: tuple[str, ...]
    test: tuple[str, ...] = ()
    folders: tuple[str, ...] = ("", "")  # of the splits, relative to `root`: "train/", "test/"
    text: str = ""  # in words; "" if there are no splits
    inside: Callable[[str], str] = _same  # name -> its path below the split folder, which begins with the class
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


def find_parts(members: Sequence[str], tables: Sequence[str]) -> Parts:
    """The splits of a collection, from the names of all its pictures and of its tables of labels.

    Raises:
        DataError: two folders are both the training split.
    """
    root, strays = _find_root(members, {table.rpartition("/")[0] for table in tables})
    within = [name for name in members if name.startswith(root)] if root else list(members)
    within = [name for name in within if name not in strays] if strays else within
    inside = count_folders(root, within)
    found = (
        _find_domains(root, within, inside) or _find_splits(root, within, inside) or _find_inner_splits(root, within, inside)
    )
    found = found or Parts(root, tuple(within), inside=lambda name: name[len(root) :])
    return _add_strays(found, sorted(strays), f"the folder {printable(root)}", len(within))


def count_folders(root: str, members: Iterable[str]) -> Counter[str]:
    """The number of pictures in each folder directly below `root`; "" stands for pictures in `root` itself."""
    cut = len(root)
    return Counter(rest.split("/", 1)[0] if "/" in (rest := name[cut:]) else "" for name in members if name.startswith(root))


def are_strays(loose: int, kept: int) -> bool:
    """Whether so many pictures beside folders with `kept` pictures are strays, and no album with folders in it."""
    return loose < kept and (loose <= FEW or 9 * loose <= kept)


def has_class_folders(inside: Counter[str]) -> bool:
    """Whether two or more folders, with at most a few strays beside them, are classes."""
    return len(inside) - ("" in inside) > 1 and (not inside[""] or are_strays(inside[""], inside.total() - inside[""]))


def _find_root(members: Sequence[str], tables: set[str]) -> tuple[str, set[str]]:
    """The folder that holds the collection, below folders with nothing else in them; and strays beside those folders."""
    root, strays = "", set[str]()
    while root.rstrip("/") not in tables:
        inside = count_folders(root, members)
        names = [name for name in inside if name]
        if len(names) != 1 or fold(names[0]) in TRAIN_FOLDERS:
            break
        below = f"{root}{names[0]}/"
        if loose := inside[""]:
            deeper = count_folders(below, members)
            if not (are_strays(loose, inside[names[0]]) and (has_class_folders(deeper) or name_splits(deeper)[0])):
                break
            strays |= {name for name in members if name.startswith(root) and "/" not in name[len(root) :]}
        root = below
    return root, strays


def _find_splits(root: str, members: Sequence[str], inside: Counter[str]) -> Parts | None:
    """train/ and test/, or train/ with at most strays beside it."""
    trains, tests = name_splits(inside)
    if not trains or not (tests or inside.keys() <= {*trains, ""}):
        return None
    if not tests and inside[""] and not are_strays(inside[""], inside.total() - inside[""]):
        return None
    if len(trains) > 1:
        both = " and ".join(f"{printable(name)}/" for name in trains)
        raise DataError(f"two folders are the training split: {both}; expected one; move the pictures into one of them")
    train, test = f"{root}{trains[0]}/", f"{root}{tests[0]}/" if tests else ""
    below = _skip_wrappers(train, members, ())
    known = tuple(count_folders(below, members))
    strays = [name for name in members if name.startswith(train) and not name.startswith(below)]
    tested = _skip_wrappers(test, members, known) if test else ""
    strays += [name for name in members if test and name.startswith(test) and not name.startswith(tested)]
    cuts = {train: len(below), test: len(tested)}

    def cut(name: str) -> str:
        return name[cuts[train if name.startswith(train) else test] :]

    beside = " and ".join(printable(name) for name in (train, test) if name)
    other = {f"{root}{name}/": f"{test} is the test split" for name in tests[1:]}
    other |= {f"{root}{name}/": f"beside {beside}" for name in inside if name and name not in (*trains, *tests)}
    found = Parts(
        root,
        tuple(name for name in members if name.startswith(below)),
        tuple(name for name in members if name.startswith(tested)) if test else (),
        (train[len(root) :], test[len(root) :]),
        "of a split collection",
        cut,
        tuple(
            Skipped(printable(name), f"{spell_count(inside[name[len(root) : -1]], 'pictures')} {why}")
            for name, why in other.items()
        ),
        (
            *_warn_of_names([trains[0], *tests[:1]], beside),
            *_warn_of_folders([name for name, why in other.items() if why.startswith("beside")], beside),
        ),
    )
    found = _add_strays(found, strays, printable(below), len(found.train))
    loose = [name for name in members if name.startswith(root) and "/" not in name[len(root) :]]
    return _add_strays(found, loose, beside, inside.total() - len(loose))


def _skip_wrappers(place: str, members: Sequence[str], known: Sequence[str]) -> str:
    """The folder below the split `place` that holds its pictures or classes, below folders with nothing else in them.

    A folder that is one of the classes `known` is no wrapper, also if it is the only one of its split.
    """
    while True:
        inside = count_folders(place, members)
        names = [name for name in inside if name]
        if len(names) != 1 or names[0] in known:
            break
        below = f"{place}{names[0]}/"
        if inside[""] and not (are_strays(inside[""], inside[names[0]]) and has_class_folders(count_folders(below, members))):
            break
        place = below
    return place


def _find_domains(root: str, members: Sequence[str], inside: Counter[str]) -> Parts | None:
    """trainA/ and trainB/, testA/ and testB/: the two domains of an unpaired data set, as two classes."""
    domains = {name: match for name in inside if (match := DOMAIN.fullmatch(fold(name)))}
    roles = {name: (match[1] in TRAIN_FOLDERS, match[2].upper()) for name, match in domains.items()}
    trains = sorted(name for name, (is_train, _) in roles.items() if is_train)
    if len(trains) != 2 or {roles[name][1] for name in trains} != {"A", "B"}:
        return None
    words = [word for word in TEST_FOLDERS if any(match[1] == word for match in domains.values())]
    tests = sorted(name for name, match in domains.items() if words and match[1] == words[0])
    letters = {name: roles[name][1] for name in (*trains, *tests)}

    def cut(name: str) -> str:
        head, _, rest = name[len(root) :].partition("/")
        return f"{letters[head]}/{rest}"

    def pick(folders: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in members if name[len(root) :].partition("/")[0] in folders and "/" in name[len(root) :])

    beside = " and ".join(f"{printable(root + name)}/" for name in trains)
    other = {name: count for name, count in inside.items() if name and name not in letters}
    found = Parts(
        root,
        pick(trains),
        pick(tests),
        ("", ""),
        "of an unpaired data set",
        cut,
        tuple(
            Skipped(f"{printable(root + name)}/", f"{spell_count(count, 'pictures')} beside {beside}")
            for name, count in other.items()
        ),
        (
            f"this is an unpaired data set of two domains: {beside} are read as the classes A and B of one collection; "
            "give one of these folders to use one domain alone",
            *_warn_of_folders([f"{root}{name}/" for name in other], beside),
        ),
    )
    loose = [name for name in members if "/" not in name[len(root) :]]
    return _add_strays(found, loose, beside, inside.total() - len(loose))


def _find_inner_splits(root: str, members: Sequence[str], inside: Counter[str]) -> Parts | None:
    """cat/train/ and cat/test/, dog/train/ and dog/test/: each class has its own splits."""
    if not has_class_folders(inside):
        return None
    roles: dict[str, bool] = {}  # "cat/train/" -> whether it is of the training split
    for name in inside:
        trains, tests = name_splits(count_folders(f"{root}{name}/", members)) if name else ([], [])
        if name and not trains:
            return None
        roles |= {f"{root}{name}/{each}/": True for each in trains} | {f"{root}{name}/{each}/": False for each in tests[:1]}

    if all(roles.values()):  # no class has a test split
        return None

    def of(name: str) -> str:
        return "/".join(name[len(root) :].split("/", 2)[:2])

    role = {path[len(root) : -1]: is_train for path, is_train in roles.items()}

    def cut(name: str) -> str:
        head, _, rest = name[len(root) :].split("/", 2)
        return f"{head}/{rest}"

    strays = [name for name in members if of(name) not in role]
    found = Parts(
        root,
        tuple(name for name in members if role.get(of(name)) is True),
        tuple(name for name in members if role.get(of(name)) is False),
        ("", ""),
        "of splits inside each class",
        cut,
    )
    return _add_strays(found, strays, "the folders of the splits", len(members) - len(strays))


def _add_strays(parts: Parts, loose: Sequence[str], beside: str, kept: int) -> Parts:
    """The parts with the pictures that lie beside `beside` listed by name."""
    if not loose:
        return parts
    names = ", ".join(printable(name) for name in loose[:FEW]) + (f" and {len(loose) - FEW:,} more" if len(loose) > FEW else "")
    text = f"pictures beside {beside} are left out ({len(loose):,} of {len(loose) + kept:,}): {names}"
    skipped = tuple(Skipped(printable(name), f"beside {beside}") for name in loose)
    return replace(parts, skipped=parts.skipped + skipped, warnings=(*parts.warnings, text))


def _warn_of_names(splits: Sequence[str], beside: str) -> tuple[str, ...]:
    """A sentence about splits with unusual names, which somebody might have meant otherwise."""
    if all(map(is_usual, splits)):
        return ()
    what = "the training and the test split" if len(splits) > 1 else "the training split"
    return (f"{beside} are read as {what}, because of their names; rename them if they are classes",)


def _warn_of_folders(folders: Sequence[str], beside: str) -> tuple[str, ...]:
    if not folders:
        return ()
    names = ", ".join(map(printable, folders[:FEW])) + (f" and {len(folders) - FEW:,} more" if len(folders) > FEW else "")
    return (f"{names}: left out, because {beside} are the splits; move the pictures into one of these to use them",)
