"""Lines of text: what is kept, what is left out and why."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.readers.text_lines import LONGEST, SYMBOLS, describe_lines, keep_usable, read, text_source
from ganvas.data.report import inspect
from ganvas.errors import DataError, UsageError
from ganvas.utils.tokens import decode_lines


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("name", "count"), [("names", 5_163), ("words", 7_772)])
def test_built_in_lists(name: str, count: int) -> None:
    train, test = text_source(name, "train"), text_source(name, "test")
    learnt, kept = (decode_lines(source.table, source.alphabet) for source in (train, test))
    assert len(learnt) + len(kept) == count
    assert not set(learnt) & set(kept)
    assert 0.08 < len(kept) / count < 0.12
    assert train.alphabet == test.alphabet
    assert train.table.shape[1] == test.table.shape[1]
    assert train.vocabulary == len(train.alphabet) + 1
    assert train.fingerprint == text_source(name, "train").fingerprint != test.fingerprint


def test_names_look_like_names() -> None:
    source = text_source("names", "train")
    assert all(line.istitle() for line in decode_lines(source.table, source.alphabet))


def test_a_file_of_the_users(tmp_path: Path) -> None:
    path = written(tmp_path / "own.TXT", "\ufeffAnna\r\n  Ümit \r\n日本\n")
    source = open_source(DataConfig(source=str(path)))
    assert source.is_text
    assert not source.is_grid
    assert decode_lines(source.table, source.alphabet) == ["Anna", "Ümit", "日本"]
    assert source.alphabet == "".join(sorted(set("AnnaÜmit日本")))
    batch = source.samples(torch.tensor([2, 0]))
    assert (batch["text"].dtype, batch["text"].shape) == (torch.int64, (2, 4))
    assert source.skipped == ()


def test_composed_and_decomposed_letters_are_one() -> None:
    assert keep_usable(["u\u0308ber", "über"]).lines == ("über", "über")


def test_what_is_left_out_is_told_with_its_lines() -> None:
    rare = [chr(0x4E00 + i) for i in range(SYMBOLS)]
    found = keep_usable(["a" * 3] * 3 + ["", "b\tc", "x" * (LONGEST + 1), "  "] + [f"{symbol}{symbol}" for symbol in rare])
    reasons = {reason.split()[0]: name for name, reason in found.skipped}
    assert reasons["empty"] == "2 lines (4, 7)"
    assert reasons["too"] == "line 6"
    assert any("cannot be printed" in reason and name == "line 5" for name, reason in found.skipped)
    assert any("not among the" in reason for _, reason in found.skipped)
    assert found.lines[:3] == ("aaa",) * 3
    assert len(found.alphabet) <= SYMBOLS


def test_a_line_of_the_greatest_length_is_kept() -> None:
    assert keep_usable(["x" * LONGEST]).lines == ("x" * LONGEST,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Anna\nJos\xe9\n", "line 2: expected UTF-8, found the byte 0xe9"),
        (b"", "expected one item a line"),
        (b"\n\n\n", "3 lines (1, 2, 3) empty"),
    ],
)
def test_files_that_cannot_be_used(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says.replace("(", r"\(").replace(")", r"\)")):
        open_source(DataConfig(source=str(written(tmp_path / "own.txt", content))))


def test_wrong_requests(tmp_path: Path) -> None:
    own = str(written(tmp_path / "own.txt", "a\nb\n"))
    with pytest.raises(DataError, match="no test split"):
        open_source(DataConfig(source=own, split="test"))
    with pytest.raises(DataError, match="no such file"):
        open_source(DataConfig(source=str(tmp_path / "none.txt")))
    with pytest.raises(DataError, match="holds text; the game expects pictures"):
        open_source(DataConfig(source=own), resolution=28)
    with pytest.raises(UsageError, match="no mirror image"):
        open_source(DataConfig(source=own, flip=True))
    with pytest.raises(DataError, match="holds text"):
        _ = open_source(DataConfig(source=own)).resolution
    with pytest.raises(DataError, match="source of pictures"):
        open_source(DataConfig(source="edges:names"))


def test_facts_by_hand() -> None:
    found = describe_lines(["bb", "a", "bb", "abc"], "abc")
    assert (found.shortest, found.median, found.longest) == (1, 2, 3)
    assert (found.commonest[0], found.duplicates, found.examples) == ("b", 1, ("bb",))


@pytest.mark.parametrize("name", ["names", "own"])
def test_report_and_preview(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "own.txt", "Anna\n\nBo\nAnna\n")
    report = inspect(name if name == "names" else str(path))
    assert " lines" in report.text().splitlines()[0]
    assert "alphabet:" in report.text()
    assert report.to_dict()["lines"]["longest"] == (11 if name == "names" else 4)
    if name == "own":
        assert report.skipped == (("line 2", "empty"),)
        assert "duplicates: 1, as 'Anna'" in report.text()
    report.preview(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as page:
        assert page.width > 50
        assert page.getextrema()[0] < 128  # there is ink


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x.txt").write_bytes("Ümit\r\n犬\r\n".encode(encoding))
    assert read(tmp_path / "x.txt").lines == ("Ümit", "犬")
    (tmp_path / "x.txt").write_bytes("Umit\n".encode("utf-16-be"))
    with pytest.raises(DataError, match="like UTF-16; save it as UTF-8"):
        read(tmp_path / "x.txt")
