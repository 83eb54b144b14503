"""legend.csv: numbers, colors and names of classes in the ways that people write them."""

from __future__ import annotations

import pytest

from ganvas.data.legend import Legend, find_legend, number_classes, read_color, read_legend, write_color, write_legend
from ganvas.errors import DataError


@pytest.mark.parametrize(
    "text",
    [
        "0,#0000ff,sea\n1,#00ff00,land\n",
        "class,color,name\n1,#00FF00,land\n0,0000ff,sea\n",
        "name;colour\nsea;0 0 255\nland;0 255 0\n",
        "name,r,g,b\nsea,0,0,255\nland,0,255,0\n",
        "class,r,g,b\nsea,0,0,255\nland,0,255,0\n",
        "0,#0000ff,sea\r1,#00ff00,land\r",
        "\ufeffid\tname\trgb\r\n0\tsea\t(0, 0, 255)\r\n1\tland\t(0, 255, 0)\r\n",
    ],
)
def test_every_way_gives_the_same_legend(text: str) -> None:
    legend = read_legend(text.encode())
    assert legend.names == ("sea", "land")
    assert legend.colors == ((0, 0, 255), (0, 255, 0))
    assert legend.colored


def test_names_alone_get_colors() -> None:
    legend = read_legend(b"class,name\n0,sea\n2,land\n")
    assert legend.names == ("sea", "1", "land")
    assert len(set(legend.colors)) == 3
    assert not legend.colored


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a row for each class"),
        ("0,#00f,sea", "expected a color such as #1a2b3c or 26 43 60, found '#00f'"),
        ("0,300 0 0,sea", "expected a color"),
        ("0,#0000ff,sea\n0,#00ff00,land", "class 0 has two rows"),
        ("0,#0000ff,sea\n1,#0000ff,land", "two classes have the color #0000ff"),
        ("0,#0000ff,sea\n1,,land", "1 of 2 classes have no color"),
        ("0,#0000ff,sea\n9,#00ff00,land", "expected the classes 0 to 9, found 2"),
        ("class,color,name\n", "expected a row for each class, found the headings alone"),
        ("color,id\nx\n", "expected a color"),
        (f"0,#0000ff,{'a' * 200_000}", "not a readable table"),
        ("255,#0000ff,sea", "expected a class number from 0 to 253, found '255'"),
    ],
)
def test_mistakes_are_named(text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"^legend.csv: .*{words}|^legend.csv: {words}"):
        read_legend(text.encode())


@pytest.mark.parametrize("count", [1, 2, 10, 11, 100, 254])
def test_made_up_colors_differ(count: int) -> None:
    legend = number_classes(count)
    assert len(set(legend.colors)) == count
    assert all(read_color(write_color(color)) == color for color in legend.colors)


@pytest.mark.parametrize(
    "legend",
    [
        Legend(("sea", 'the "dry", land; all', "3"), ((0, 0, 255), (0, 255, 0), (1, 2, 3)), colored=True),
        number_classes(3),
        read_legend(b"name\n=1+1\n-2\n\x00\n"),
    ],
)
def test_a_legend_is_written_as_it_is_read(legend: Legend) -> None:
    assert read_legend(write_legend(legend).encode()) == legend


def test_the_legend_that_lies_highest_is_taken() -> None:
    assert find_legend(["a/masks/legend.csv", "b/Legend.CSV", "a/legend.csv.png"]) == "b/Legend.CSV"
    assert find_legend(["a/b.png"]) is None
