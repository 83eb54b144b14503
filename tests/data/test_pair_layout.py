"""Which pictures make pairs: by name alone, in every layout that people have."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data.pair_layout import Sides, find_sides, key_of, match
from ganvas.data.side_names import are_sides
from ganvas.errors import DataError


def sides(*members: str) -> Sides:
    found = find_sides(sorted(members))
    assert found is not None
    return found


def rows(found: Sides, test: bool = False) -> list[tuple[str, str]]:
    keys = found.test if test else found.train
    assert keys is not None
    return list(match(*keys, found.names).rows)


def test_two_folders_are_paired_by_name_whatever_their_order_and_ending() -> None:
    found = sides("A/2.png", "A/10.png", "A/sub/1.png", "B/10.jpg", "B/2.JPG", "B/sub/1.webp")
    assert found.names == ("A", "B")
    assert rows(found) == [("A/10.png", "B/10.jpg"), ("A/2.png", "B/2.JPG"), ("A/sub/1.png", "B/sub/1.webp")]


def test_splits_around_inside_and_lettered() -> None:
    around = sides(*(f"set/{split}/{side}/{i}.png" for split in ("train", "test") for side in "AB" for i in range(3)))
    assert rows(around, test=True)[0] == ("set/test/A/0.png", "set/test/B/0.png")
    inside = sides(*(f"{side}/{split}/{i}.png" for split in ("train", "val") for side in "AB" for i in range(3)))
    assert rows(inside)[2] == ("A/train/2.png", "B/train/2.png")
    assert rows(inside, test=True)[2] == ("A/val/2.png", "B/val/2.png")
    lettered = sides(*(f"h2z/{split}{side}/{i}.png" for split in ("train", "test") for side in "AB" for i in range(3)))
    assert lettered.lettered
    assert lettered.splits == ("train", "test")
    assert [len(side) for side in lettered.train] == [3, 3]


def test_the_input_is_the_first_side() -> None:
    assert sides("photos/1.png", "labels/1.png").names == ("labels", "photos")
    assert sides("zebra/1.png", "input/1.png").names == ("input", "zebra")
    assert sides("output/1.png", "horse/1.png").names == ("horse", "output")
    assert sides("horse/1.png", "zebra/1.png").names == ("horse", "zebra")


def test_of_many_folders_the_two_with_known_names_are_taken() -> None:
    found = sides("images/1.png", "masks/1.png", "depth/1.png")
    assert found.names == ("masks", "images")
    assert found.skipped == (("depth/", "1 picture beside the two sides"),)
    assert find_sides(["cat/1.png", "cow/1.png", "dog/1.png"]) is None
    assert find_sides(["1.png", "2.png"]) is None
    assert find_sides([]) is None


def test_a_few_pictures_beside_the_sides_are_listed_and_an_album_has_no_sides() -> None:
    found = sides("preview.png", *(f"{side}/{i}.png" for side in "AB" for i in range(5)))
    assert found.skipped == (("preview.png", "beside the folders of the two sides"),)
    assert find_sides(["A/1.png", "B/1.png", *(f"{i}.png" for i in range(9))]) is None


SPLITS = [("train", "test"), ("train", "val"), ("Training", "Testing"), ("train2017", "val2017")]


@pytest.mark.parametrize(("train", "test"), SPLITS)
def test_the_splits_of_one_collection_are_no_sides(train: str, test: str) -> None:
    """As of the sets that have two pictures side by side in each file."""
    assert find_sides([f"facades/{split}/{i}.jpg" for split in (train, test) for i in range(1, 4)]) is None
    assert find_sides([f"{split}/{name}/{i}.jpg" for split in (train, test) for name in "klm" for i in range(3)]) is None


def test_classes_with_equal_numbers_are_not_called_pairs() -> None:
    assert not are_sides(("cats", "dogs"))
    assert not are_sides(("fake", "real"))
    assert are_sides(("A", "B"))
    assert are_sides(("masks", "whatever"))


def test_both_unicode_forms_are_one_name() -> None:
    name = "caf\u00e9"
    found = sides(f"A/{unicodedata.normalize('NFD', name)}.png", f"B/{name}.png", "A/2.png", "B/2.png")
    assert len(rows(found)) == 2


def test_what_all_names_of_a_side_have_in_common_is_left_out_if_nothing_fits() -> None:
    found = sides(*(f"A/{i}_photo.jpg" for i in (1, 2, 12)), *(f"B/mask-{i}.png" for i in (1, 2, 12)))
    pairing = match(*found.train, found.names)
    assert pairing.rows[0] == ("A/1_photo.jpg", "B/mask-1.png")
    assert len(pairing.rows) == 3
    assert pairing.warnings == ("names are compared without '_photo' in A, and without 'mask-' in B",)


def test_what_has_no_partner_is_listed_and_told() -> None:
    found = sides("A/1.png", "A/2.png", "A/3.png", "A/3.jpg", "B/1.png", "B/2.png", "B/9.png")
    pairing = match(*found.train, found.names)
    assert len(pairing.rows) == 2
    assert {(name, reason) for name, reason in pairing.skipped} == {
        ("A/3.jpg", "no picture of this name in B"),
        ("A/3.png", "A/3.jpg has the same name"),
        ("B/9.png", "no picture of this name in A"),
    }
    assert pairing.warnings[0].startswith("3 of 7 pictures have no partner of the same name")


def test_without_pairs_the_game_without_pairs_is_named() -> None:
    found = sides("horse/a.png", "horse/b.png", "zebra/c.png", "zebra/d.png")
    with pytest.raises(DataError, match=r"^0 pairs: .*found horse: .*a\.png.* and zebra: .*use a game without pairs"):
        match(*found.train, found.names)


def test_a_test_split_with_one_side_is_refused() -> None:
    members = [f"train/{side}/{i}.png" for side in "AB" for i in range(3)]
    with pytest.raises(DataError, match=r"^test/: expected the folders A and B, as in train/, found A; name them alike"):
        find_sides([*members, "test/A/1.png", "test/A/2.png", "test/1.png", "test/2.png", "test/3.png", "test/4.png"])


PATHS = st.lists(st.text("abc/.", min_size=1, max_size=6).map(lambda path: "/".join(filter(None, path.split("/"))) or "x"))


@given(first=PATHS, second=PATHS, seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_every_picture_is_in_one_pair_or_listed(first: list[str], second: list[str], seed: int) -> None:
    """Whatever the names, and in whatever order they come."""
    members = [*{f"A/{path}.png" for path in first}, *{f"B/{path}.jpg" for path in second}]
    keys = [{name: key_of(name[2:]) for name in members if name.startswith(side)} for side in "AB"]
    try:
        pairing = match(keys[0], keys[1], ("A", "B"))
    except DataError:
        return
    used = [name for row in pairing.rows for name in row]
    assert len(set(used)) == len(used)
    assert sorted([*used, *(skipped.name for skipped in pairing.skipped)]) == sorted(members)
    random.Random(seed).shuffle(members)
    again = [{name: key_of(name[2:]) for name in members if name.startswith(side)} for side in "AB"]
    assert match(again[0], again[1], ("A", "B")).rows == pairing.rows
