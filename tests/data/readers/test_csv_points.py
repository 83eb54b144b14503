"""Points from CSV: separators, headers, decimal commas, indices; every error names its line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.readers import csv_points
from ganvas.errors import DataError


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("\ufeffx, y\r\n1, 2\r\n\r\n3 , 4e0\r\n", [[1, 2], [3, 4]]),
        ("1\n2\n", [[1], [2]]),
        ("x;y;z\n1;2;3", [[1, 2, 3]]),
        ("1\t2\n3\t4", [[1, 2], [3, 4]]),
        ("1 2\n3   4", [[1, 2], [3, 4]]),
        ("# x y\n1 2\n3 4", [[1, 2], [3, 4]]),
        ('"x","y"\n"1.5","-2"\n', [[1.5, -2]]),
        ("1,5;2,5\n-3,5;4,0e1\n", [[1.5, 2.5], [-3.5, 40]]),
        ("1,5\t2\n", [[1.5, 2]]),
        ("x,y,\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ("1,2\r3,4\r", [[1, 2], [3, 4]]),
    ],
)
def test_csv(tmp_path: Path, text: str, points: list[list[float]]) -> None:
    (tmp_path / "p.csv").write_text(text, encoding="utf-8", newline="")
    source = open_source(DataConfig(source=str(tmp_path / "p.csv")))
    assert source.fields["real"].tolist() == points
    assert source.warnings == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found none"),
        ("x,y\n", "found none"),
        ("1,2\n3\n", r"line 2: expected 2 numbers, found 1 cells: '3'"),
        ("1,2\na,b\n", "line 2, column 1: expected a number, found 'a'"),
        ("1,nan\n", "line 1, column 2: expected a finite number, found 'nan'"),
        ("1,2,3,4\n", "line 1: expected 1 to 3 numbers, found 4"),
        ("x\n\x00\x1b", r"line 2, column 1: expected a number, found '\\x00\\x1b'"),
        ("1.0,oops\n1,2\n", "line 1, column 2: expected a number, found 'oops'"),
        ("x,y\n1,2\n3,\n", "line 3, column 2: expected a number, found an empty cell"),
        ("1,,2\n", "line 1, column 2: expected a number, found an empty cell"),
        ("\n\n1,2\n1e39,2\n", "line 4, column 1: '1e39' is beyond 3.4e"),
        ('1,"2\n3,4\n', "line 1: .* is no row"),
        ("1.234,5;2\n", "line 1, column 1: expected a number, found '1.234,5'"),
        ('"1,5","2,5"\n1,2\n2,3\n', "line 1"),
        ("1,2,\n3,4,5\n", "line 2, column 3: '5' stands after the last column"),
        ("x,y,z\n1,2\n", "line 2: 2 cells, and the header has 3"),
        ("1" * 20_000, "line 1: longer than 10,000 symbols"),
    ],
)
def test_errors_name_the_line_and_the_column(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DataError, match=reason):
        open_source(DataConfig(source=str(tmp_path / "p.csv")))


def test_an_index_of_pandas_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(",x,y\n0,5,6\n1,7,8\n2,9,1\n")
    source = open_source(DataConfig(source=str(tmp_path / "p.csv")))
    assert source.table.tolist() == [[5, 6], [7, 8], [9, 1]]
    assert source.warnings == ("the first column has no header: it is taken for an index and left out",)
    (tmp_path / "q.csv").write_text(",0,1\n0,5,6\n1,7,8\n2,9,1\n")  # columns without names
    assert csv_points.load(tmp_path / "q.csv").samples.tolist() == [[5, 6], [7, 8], [9, 1]]


@pytest.mark.parametrize(
    "text", ["0,5\n1,6\n2,9\n", "x,y\n1,5\n2,6\n3,9\n", "id,y\n7,5\n3,6\n9,9\n", "Unnamed: 0,y\n7,5\n8,5\n"]
)
def test_what_may_be_an_index_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    loaded = csv_points.load(tmp_path / "p.csv")
    assert loaded.samples.shape[1] == 2
    assert "remove it if it is an index" in loaded.warnings[0]


def test_a_limit_of_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_points, "MAX_NUMBERS", 10)
    np.savetxt(tmp_path / "p.csv", np.random.default_rng(0).normal(size=(6, 2)), delimiter=",")
    with pytest.raises(DataError, match="line 6: more than 10 numbers"):
        csv_points.load(tmp_path / "p.csv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", ["x,y\n1.5,2\n-3,4\n", "sep=;\nx;y\n1,5;2\n-3;4\n", "x|y\n1.5|2\n-3|4\n"])
def test_encodings_and_separators_of_spreadsheets(tmp_path: Path, encoding: str, text: str) -> None:
    (tmp_path / "p.csv").write_bytes(text.encode(encoding))
    source = open_source(DataConfig(source=str(tmp_path / "p.csv")))
    assert source.fields["real"].tolist() == [[1.5, 2.0], [-3.0, 4.0]]


@pytest.mark.parametrize("text", ["sep=;", "sep=;\n\n", "sep=,\n# x\n"])
def test_a_separator_alone_is_no_table(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DataError, match="expected rows of 1 to 3 numbers, found none"):
        open_source(DataConfig(source=str(tmp_path / "p.csv")))


def test_an_encoding_without_a_mark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes("1,2\n3,4\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="like UTF-16; save it as UTF-8"):
        open_source(DataConfig(source=str(tmp_path / "p.csv")))


def test_a_column_of_labels_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x,y,Class\n1,2,0\n3,4,1\n")
    assert "the column 'Class' is read as a coordinate" in open_source(DataConfig(source=str(tmp_path / "p.csv"))).warnings[0]


def test_numbers_are_not_spelled_as_in_python(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("1_0,2\n")
    with pytest.raises(DataError, match="expected a number, found '1_0'"):
        open_source(DataConfig(source=str(tmp_path / "p.csv")))
