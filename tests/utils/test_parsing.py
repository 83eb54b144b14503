"""Paths as words of a command."""

from __future__ import annotations

import subprocess
from typing import Any

import numpy as np
import pytest

from ganvas.errors import UsageError
from ganvas.utils.parsing import quote, require_count, require_number, spell_count


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


@pytest.mark.parametrize("value", [1.5, 2.0, "a", None, True, np.float32(1)])
def test_a_count_is_a_whole_number(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^n: expected a whole number, got "):
        require_count("n", value, 1, 9)
    require_count("n", np.int64(3), 1, 9)


@pytest.mark.parametrize("value", ["a", None, True, [1]])
def test_a_number_is_a_number(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^strength: expected a number, got "):
        require_number("strength", value)
    require_number("strength", np.float32(0.5))
