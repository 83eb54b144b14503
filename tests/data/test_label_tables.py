"""dataset.json and labels.csv: what matches a picture, what is told, and what is refused."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ganvas.config import DataConfig
from ganvas.data.folder_layout import Layout, arrange
from ganvas.data.label_tables import MAX_TABLE, ROW_BYTES, read_table
from ganvas.data.open import open_source
from ganvas.errors import DataError


def understood(table: str, content: str | bytes | object, *names: str, split: str = "train") -> Layout:
    data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
    return arrange([table, *names], split, lambda _name: data)


def refused(table: str, content: str | bytes | object) -> str:
    with pytest.raises(DataError) as raised:
        understood(table, content, "a.png", "b.png")
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_names_without_a_picture_are_counted_with_an_example() -> None:
    rows = [["a.png", 0], ["b.png", 1], ["gone.png", 0], ["lost.png", 1]]
    layout = understood("dataset.json", {"labels": rows}, "a.png", "b.png")
    assert layout.warnings == ("dataset.json: 2 of 4 names are no picture here, such as gone.png, lost.png",)
    assert understood("dataset.json", {"labels": rows[:2]}, "a.png", "b.png").warnings == ()


@pytest.mark.parametrize(
    "spelling", ["x/a.png", "./x/a.png", "x\\a.png", "x//a.png", "x/a.PNG", "X/A.png", "x/a", "a.png", "a"]
)
def test_a_name_means_its_picture_however_it_is_spelled(spelling: str) -> None:
    layout = understood("dataset.json", {"labels": [[spelling, 5], ["b.png", 7]]}, "x/a.png", "b.png")
    assert (layout.members, layout.labels, layout.classes) == (("b.png", "x/a.png"), (1, 0), ("5", "7"))
    assert layout.warnings == ()


def test_composed_and_decomposed_names_are_one() -> None:
    layout = understood("dataset.json", {"labels": [["\u00e9.png", 1], ["b.png", 2]]}, "e\u0301.png", "b.png")
    assert layout.labels == (1, 0)


def test_a_name_of_another_folder_or_of_two_pictures_matches_nothing() -> None:
    table = {"labels": [["gone/a.png", 1], ["c.png", 2], ["d.png", 3]]}
    layout = understood("dataset.json", table, "x/a.png", "x/c.png", "y/c.png", "d.png")
    assert layout.members == ("d.png",)
    assert "2 of 3 names are no picture here, such as gone/a.png, c.png" in layout.warnings[0]


def test_two_labels_of_one_picture_are_refused() -> None:
    message = refused("dataset.json", {"labels": [["a.png", 0], ["b.png", 1], ["./a.png", 2]]})
    assert message == "dataset.json: './a.png' has two labels, '0' and '2'; expected one; remove one of its rows"
    twice = {"labels": [["a.png", 0], ["b.png", 1], ["a.png", 0]]}
    assert understood("dataset.json", twice, "a.png", "b.png").labels == (0, 1)


def test_bad_json_is_called_so_with_its_place() -> None:
    message = refused("dataset.json", '{"labels":\n [["a.png", 0],]}')
    assert message.startswith("dataset.json is not readable JSON: ")
    assert "line 2, column" in message
    assert "not readable JSON" in refused("dataset.json", b"\xff\xfe\x00")
    assert "not readable JSON" in refused("dataset.json", '{"labels": [["a.png", ' + "9" * 5000 + "]]}")
    for value in (0.5, float("nan"), float("inf"), True, None, "", " ", [1], 10**30):
        assert "expected" in refused("dataset.json", {"labels": [["a.png", value]]})


def test_names_and_whole_floats_are_labels() -> None:
    layout = understood("dataset.json", {"labels": [["a.png", "cat"], ["b.png", "a\u030a"]]}, "a.png", "b.png")
    assert (layout.classes, layout.labels) == (("cat", "\u00e5"), (0, 1))
    assert understood("dataset.json", {"labels": [["a.png", 2.0], ["b.png", 10.0]]}, "a.png", "b.png").classes == ("2", "10")


HOSTILE = [b"[],", b"[[]],", b'{"":0},', b"1,", b'"a",', b"["]


@pytest.mark.parametrize(
    ("name", "start", "unit"),
    [*[("dataset.json", b'{"labels": [', unit) for unit in HOSTILE], ("labels.csv", b"", b"a,b\n"), ("labels.csv", b"", b",")],
)
def test_a_hostile_table_takes_little_memory(name: str, start: bytes, unit: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_table(name, start + unit * (20_000_000 // len(unit)) + b"0]}", 2)
        assert tracemalloc.get_traced_memory()[1] < 300e6
    finally:
        tracemalloc.stop()


def test_a_table_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(DataError, match="expected at most"):
        read_table("labels.csv", bytes(MAX_TABLE + 2 * ROW_BYTES + 1), 2)


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,cat\nb.png,dog\n",
        "\ufefffile;seed;label\r\na.png;1;cat\r\nb.png;2;dog\r\n",
        "label\tfile_name\ncat\ta.png\n\ndog\tb.png\n",
        "a.png,cat\nb.png,dog",
        '"a.png","cat"\n"b.png","dog"\n',
        "id,label\na,cat\nb,dog\n",
        "picture,class\na.png, cat\nb.png,dog \n",
        'file, label\na.png, "cat"\nb.png, "dog"\n',
        "file|label\na.png|cat\nb.png|dog\n",
        "sep=;\nfile;label\na.png;cat\nb.png;dog\n",
        "# of 2026, by me\n\nfile,label\na.png,cat\nb.png,dog\n",
        "cat,a.png\ndog,b.png\n",
        "file,cat,dog\na.png,1,0\nb.png,0.0,1.0\n",
        ",file,dog,cat\n0,a.png,False,True\n1,b.png,true,false\n",
    ],
)
def test_labels_of_a_csv(text: str) -> None:
    layout = understood("labels.csv", text, "a.png", "b.png")
    assert (layout.members, layout.labels, layout.classes) == (("a.png", "b.png"), (0, 1), ("cat", "dog"))
    assert (layout.text, layout.warnings) == ("pictures with labels in labels.csv", ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_tables_have_the_encodings_of_spreadsheets(encoding: str) -> None:
    text = "file\tlabel\na.png\tChat d'été\nb.png\t犬\n".encode(encoding)
    assert understood("labels.tsv", text, "a.png", "b.png").classes == ("Chat d'été", "犬")


def test_several_labels_in_columns_are_told() -> None:
    layout = understood("labels.csv", "file,cat,dog\na.png,1,1\nb.png,0,0\n", "a.png", "b.png")
    assert layout.classes == ("cat+dog", "none")
    assert layout.warnings == ("labels.csv: several labels a picture; each combination is read as a class of its own",)


@pytest.mark.parametrize(
    "table",
    ["file,label,split\na.png,x,train\nb.png,y,test\n", "file,x,y,is_test\na.png,1,0,0\nb.png,0,1,1\n"],
)
def test_a_column_of_splits_is_told(table: str) -> None:
    layout = understood("labels.csv", table, "a.png", "b.png")
    assert layout.classes == ("x", "y")
    assert "is not read, and all pictures are trained on" in layout.warnings[0]


@pytest.mark.parametrize("front", ["/home/me/set/", "C:\\set\\", "../set/", "https://example.org/"])
def test_folders_in_front_of_all_names_are_left_out_and_told(front: str) -> None:
    layout = understood("labels.csv", f"file,label\n{front}x/a.png,1\n{front}b.png,2\n{front}c.png,2\n", "x/a.png", "b.png")
    assert (layout.members, layout.labels) == (("b.png", "x/a.png"), (1, 0))
    assert "its names have folders in front that are not here" in layout.warnings[0]
    assert "1 of 3 names are no picture here" in layout.warnings[1]


@pytest.mark.parametrize("name", ["A.png", "a.PNG", "a"])
def test_two_labels_of_one_picture_are_refused_however_it_is_spelled(name: str) -> None:
    assert f"'{name}' has two labels, 'x' and 'y'" in refused("labels.csv", f"a.png,x\n{name},y\n")
    assert understood("labels.csv", f"a.png,x\n{name},x\nb.png,y\n", "a.png", "b.png").warnings == ()
    assert "'a.png' has two labels" in refused("labels.csv", "/tmp/a.png,x\n/home/a.png,y\n")


def test_a_key_that_json_has_twice_is_refused() -> None:
    assert "a key appears twice" in refused("dataset.json", '{"labels": null, "labels": [["a.png", 0], ["b.png", 1]]}')


def test_classes_that_look_alike_are_told() -> None:
    for pair in (("cat", "Cat"), ("1", "01"), ("a b", "ab"), ("a", "a\u200b")):
        names = [f"{name}/{i}.png" for name in pair for i in range(2)]
        assert "look alike" in arrange(names, "train", lambda _name: b"").warnings[0]
    assert arrange(["1/a.png", "10/b.png"], "train", lambda _name: b"").warnings == ()


@pytest.mark.parametrize("name", ["metadata.csv", "annotations.json", "x.jsonl", "Labels.txt"])
def test_a_table_of_another_name_is_told_where_pictures_have_no_labels(name: str) -> None:
    layout = arrange([name, "README.txt", "a.png", "b.png"], "train", lambda _name: b"")
    assert layout.warnings[0].startswith(f"{name}: not read")
    assert arrange([name, "x/a.png", "y/b.png"], "train", lambda _name: b"").warnings == ()


def test_one_of_two_tables_is_used_and_the_other_is_listed() -> None:
    tables = {"labels.csv": b"a.png,x\nb.png,y\n", "dataset.json": b'{"labels": [["a.png", 0], ["b.png", 1]]}'}
    layout = arrange([*tables, "a.png", "b.png"], "train", tables.__getitem__)
    assert (layout.classes, layout.skipped) == (("0", "1"), (("labels.csv", "not used: dataset.json is"),))


def test_numbers_of_a_csv_are_sorted_as_numbers() -> None:
    layout = understood("labels.csv", "file,label\na.png,10\nb.png,9.0\n", "a.png", "b.png")
    assert (layout.classes, layout.labels) == (("9", "10"), (1, 0))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found none"),
        ("file,label\n", "found none"),
        ("file,label\na.png,cat\nb.png\n", "labels.csv, line 3: expected 2 columns, found 1"),
        ("file,label\na.png,\n", "labels.csv, line 2: expected a file and its label"),
        ("file,x,y\na.png,1,2\n", "found 'file, x, y'"),
        ('file,label\n"a.png,cat\n', "labels.csv, line"),
        (b"file,label\n\xff.png,cat\n", "expected UTF-8"),
        ("file,label\na.png,cat\n".encode("utf-16")[:-1], "expected UTF-16, found"),
        ("file,label\na.png,cat\n".encode("utf-16-le"), "like UTF-16; save it as UTF-8"),
        ("a.png,cat\n".encode("utf-32-be"), "like UTF-16; save it as UTF-8"),
        ("file label\na.png cat\n", "separated by commas, semicolons, tabs or |, found 'file label'"),
        ("file,label\na.png,cat\na.png,dog\n", "has two labels, 'cat' and 'dog'"),
        ("file,label\nx.png,cat\n", "none of its 1 names is a picture here"),
    ],
)
def test_a_bad_csv_is_refused_with_its_place(text: str | bytes, reason: str) -> None:
    assert reason in refused("labels.csv", text)


def test_a_table_goes_with_splits_and_the_training_split_has_the_classes() -> None:
    text = "file,label\ntrain/a.png,x\ntrain/b.png,z\ntest/c.png,z\ntest/d.png,y\n"
    names = ["train/a.png", "train/b.png", "test/c.png", "test/d.png", "test/e.png"]
    assert understood("labels.csv", text, *names).labels == (0, 1)
    test = understood("labels.csv", text, *names, split="test")
    assert (test.members, test.labels, test.classes, test.splits) == (("test/c.png",), (1,), ("x", "z"), ("train", "test"))
    assert set(test.skipped) == {("test/d.png", "its class is not in train/"), ("test/e.png", "no label in labels.csv")}


def test_each_split_may_have_its_own_table() -> None:
    tables = {"train/labels.csv": b"file,label\na.png,x\nb.png,y\n", "test/labels.csv": b"file,label\na.png,y\n"}
    names = [*tables, "train/a.png", "train/b.png", "test/a.png"]
    assert arrange(names, "train", tables.__getitem__).labels == (0, 1)
    assert arrange(names, "test", tables.__getitem__).labels == (1,)


def test_a_table_at_another_place_is_told() -> None:
    layout = understood("x/dataset.json", {"labels": [["a.png", 0]]}, "x/a.png", "y/a.png", "z/a.png")
    assert layout.classes == ("x", "y", "z")
    assert layout.skipped == (("x/dataset.json", "not used: expected one in the main folder"),)


def test_as_many_labels_as_pictures_are_doubted() -> None:
    names = [f"{i}.png" for i in range(12)]
    layout = understood("labels.csv", "".join(f"{name},{name}\n" for name in names), *names)
    assert layout.warnings == ("labels.csv: 12 samples have 12 labels; expected many samples of each class",)


def test_a_folder_with_a_table_opens_with_its_labels(tmp_path: Path, write_picture: Callable[..., Path]) -> None:
    for i, name in enumerate("ab"):
        write_picture(tmp_path / "p" / f"{name}.png", i)
    (tmp_path / "p" / "labels.csv").write_text("a.png,cat\nb.png,dog\nc.png,dog\n")
    data = open_source(DataConfig(source=str(tmp_path / "p")))
    assert (data.classes, data.fields["label"].tolist()) == (("cat", "dog"), [0, 1])
    assert data.warnings == ("labels.csv: 1 of 3 names are no picture here, such as c.png",)
