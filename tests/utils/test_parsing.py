"""Paths as words of a command."""

from __future__ import annotations

import subprocess

import pytest

from ganvas.utils.parsing import quote, spell_count


@pytest.mark.parametrize("name", ["run", "my run", "it's", "a\nb", "tab\tand 'quote' and \\", "$HOME", "-x", "é", "\x1b[31m"])
def test_a_quoted_path_is_one_line_and_the_same_in_a_shell(name: str) -> None:
    word = quote(name)
    assert word.isprintable()
    read = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, text=True)
    assert read.stdout == name


def test_one_thing_is_no_plural() -> None:
    found = [spell_count(n, what) for n, what in ((1, "samples"), (2, "samples"), (1, "classes"), (1, "color pictures"))]
    assert found == ["1 sample", "2 samples", "1 class", "1 color picture"]
    assert spell_count(12_000, "pictures") == "12,000 pictures"
    assert spell_count(0, "lines") == "0 lines"
