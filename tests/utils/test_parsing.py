"""Paths as words of a command."""

from __future__ import annotations

import subprocess

import pytest

from ganvas.utils.parsing import quote


@pytest.mark.parametrize("name", ["run", "my run", "it's", "a\nb", "tab\tand 'quote' and \\", "$HOME", "-x", "é", "\x1b[31m"])
def test_a_quoted_path_is_one_line_and_the_same_in_a_shell(name: str) -> None:
    word = quote(name)
    assert word.isprintable()
    read = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, text=True)
    assert read.stdout == name
