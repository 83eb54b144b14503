"""New names of the pictures in a zip: safe, all different, and with the same pairs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data.images import SUFFIXES
from ganvas.data.member_names import SAFE, rename_members
from ganvas.data.pair_layout import Sides, find_sides, match
from ganvas.errors import DataError
from ganvas.utils.parsing import printable


def test_plain_names_stay_and_get_the_ending_of_their_new_files() -> None:
    names = ["A/sub/cat 1.JPG", "B/sub/cat 1.png", "写真/été.tif", "A/no ending", "A/a.b.gif"]
    assert rename_members(names) == ["A/sub/cat 1.png", "B/sub/cat 1.png", "写真/été.png", "A/no ending", "A/a.b.png"]


def test_pictures_that_differ_by_their_ending_keep_it() -> None:
    names = ["A/1.jpg", "A/1.JPG", "A/1.png", "A/1", "A/caf\u00e9.jpg", "A/cafe\u0301.png", "B/1.jpg"]
    assert rename_members(names) == [*names[:-1], "B/1.png"]


def test_control_characters_colons_and_marks_that_turn_text_around_are_replaced() -> None:
    assert rename_members(["A/\x1b[31m.png", "A/c:d.png", "A/\u202egnp.png"]) == [
        "A/\u29f5x1b[31m.png",
        "A/c\u2236d.png",
        "A/\u29f5u202egnp.png",
    ]
    assert rename_members(["A/\u2236:.png"]) == ["A/\u2236\u2500.png"]  # the first symbol is in use


def test_what_cannot_be_named() -> None:
    assert rename_members(["A/" + 1_100 * "\x01" + ".png", "B/" + 4_000 * "x" + ".png"])[0] is None
    with pytest.raises(DataError, match="too many symbols; give them plain names"):
        rename_members(["".join(SAFE) + ".png"])


PLAIN = ("A", "B", "trainA", "trainB", "testA", "testB", "train", "test", "masks", "photos", "cat", "dog")
FOLDER = st.sampled_from(PLAIN) | st.text("ab:\x01\x02é\u0301 ", min_size=1, max_size=3)
STEM = st.text("a1 _:\x01\x7f\u202e\u2028\u3000é\u0301\u2236\u29f5", min_size=1, max_size=4)
ENDING = st.sampled_from((*SUFFIXES[:4], ".JPG", ""))


@given(
    folders=st.lists(st.lists(FOLDER, min_size=0, max_size=2), min_size=2, max_size=4),
    files=st.lists(st.tuples(STEM, ENDING), min_size=1, max_size=6, unique=True),
    left_out=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_the_same_pairs_are_found_before_and_after(
    folders: list[list[str]], files: list[tuple[str, str]], left_out: int
) -> None:
    """Whatever the names are."""
    members = sorted({"/".join([*folder, stem + ending]) for folder in folders for stem, ending in files})
    members = [name for i, name in enumerate(members) if len(members) < 4 or i != left_out % len(members)]
    new = rename_members(members)
    assert len(set(new)) == len(new)
    after_of = dict(zip(map(printable, members), new, strict=True))  # as they are read
    for name in after_of.values():
        assert name is not None
        assert name.isprintable()
        assert not set(name) & set("\\:")
    plain = all(part in PLAIN for folder in folders for part in folder)
    assert describe(list(map(printable, members)), after_of, plain) == describe([name or "" for name in new], {}, plain)


def describe(members: list[str], after_of: dict[str, str | None], plain: bool) -> object:
    """The pairs of both splits, in new names. The order of folders that have no plain names may change."""
    try:
        sides = find_sides(sorted(members))
    except DataError:
        return "a split with one side"
    if sides is None:
        return None
    return [sides.lettered, *(list_pairs(keys, sides, after_of, plain) for keys in (sides.train, sides.test) if keys)]


def list_pairs(
    keys: tuple[Mapping[str, str], Mapping[str, str]], sides: Sides, after_of: dict[str, str | None], plain: bool
) -> object:
    """The members of both sides, and the pairs."""
    gather: Callable[[Iterable[object]], object] = tuple if plain else frozenset
    members = gather(frozenset(after_of.get(name, name) for name in side) for side in keys)
    try:
        rows = match(*keys, sides.names).rows
    except DataError:
        return members, "fewer than two pairs"
    return members, {gather(after_of.get(name, name) for name in row) for row in rows}


def test_both_unicode_forms_stay_two_names() -> None:
    forms = [f"A/{unicodedata.normalize(form, 'é')}.jpg" for form in ("NFC", "NFD")]
    assert rename_members(forms) == forms
