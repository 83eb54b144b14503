"""The program of exported pages is what was shipped, and damage is told in one line."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import shutil
from pathlib import Path

import pytest

from ganvas.errors import DataError
from ganvas.export import browser_runtime
from ganvas.export.browser_runtime import FOLDER, PROGRAM, SCRIPT, read_program, read_script


def test_the_program_is_the_one_that_was_shipped() -> None:
    program = gzip.decompress(read_program())
    assert hashlib.sha256(program).hexdigest() == PROGRAM[1]
    assert program.startswith(b"\0asm")
    assert len(read_program()) < 4_000_000
    table = (FOLDER / "README.md").read_text()
    assert SCRIPT[1] in table
    assert PROGRAM[1] in table


def test_the_script_gives_its_names_to_the_page() -> None:
    text = read_script()
    assert "export{" not in text.replace(" ", "")
    assert '"InferenceSession": ' in text.rpartition("globalThis.ort")[2]
    assert "</script" not in text.lower()


def test_damage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FOLDER / SCRIPT[0], tmp_path)
    monkeypatch.setattr(browser_runtime, "FOLDER", tmp_path)
    (tmp_path / SCRIPT[0]).write_bytes(lzma.compress(b"other"))
    with pytest.raises(DataError, match="not the one it was shipped with; install ganvas again"):
        read_script()
    (tmp_path / SCRIPT[0]).write_bytes(b"nonsense")
    with pytest.raises(DataError, match="missing or damaged"):
        read_script()
    (tmp_path / SCRIPT[0]).unlink()
    with pytest.raises(DataError, match="missing or damaged"):
        read_script()


def test_licences_are_shipped() -> None:
    assert "MIT License" in (FOLDER / "LICENSE-onnxruntime.txt").read_text()
    assert b"Eigen" in lzma.decompress((FOLDER / "third-party-notices.txt.xz").read_bytes())
