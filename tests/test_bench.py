"""The bench: bounds that make sense, and no chatter of the profiler."""

from __future__ import annotations

import math
import os

import pytest
from support import PLAN, miniature

from ganvas.bench import _hushed, bench, profiled
from ganvas.errors import UsageError


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_no_time_is_no_bench(seconds: float) -> None:
    with pytest.raises(UsageError, match="seconds: expected a number above 0"):
        bench("gan-ring", seconds=seconds)


def test_the_profiler_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    recipe, data = miniature("gan-ring")
    with _hushed():
        os.write(2, b"chatter\n")
    assert sum(share for _, share in profiled(recipe, data, PLAN)) <= 1.0001
    assert capfd.readouterr().err == ""
