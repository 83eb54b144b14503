"""Numbers with a fraction on the command line."""

from __future__ import annotations

import pytest

from ganvas.cli.app import app
from ganvas.errors import UsageError
from ganvas.utils.real_numbers import parse_real


@pytest.mark.parametrize(("text", "number"), [("0.7", 0.7), ("1e-3", 1e-3), ("2", 2.0), ("-1.5", -1.5), (" 3", 3.0)])
def test_numbers(text: str, number: float) -> None:
    assert parse_real("--psi", text) == number


@pytest.mark.parametrize(
    "text", ["", "one", "nan", "inf", "-inf", "1e999", "0x10", "²", "٣", "\uff11\uff12", "1,5", "9" * 5_000]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--psi: expected a number, got") as refusal:
        parse_real("--psi", text)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    "words",
    [
        ("sample", "run", "--psi"),
        ("sample", "run", "--truncate"),
        ("sample", "run", "--temperature"),
        ("eval", "run", "--temperature"),
        ("traverse", "run", "--range"),
        ("plane", "run", "--range"),
        ("train", "gan-ring", "--minutes"),
        ("bench", "gan-ring", "--seconds"),
    ],
)
def test_every_option_that_is_such_a_number_says_so(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=rf"^{words[-1]}: expected a number, got '0x10'$"):
        app([*words, "0x10"], exit_on_error=False, print_error=False)
