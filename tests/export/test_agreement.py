"""What an exported model may differ by, and that a wrong one is refused."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from support import miniature_model

from ganvas.errors import DataError
from ganvas.export.agreement import measure, open_session
from ganvas.export.graphs import Compute, Graph, OutputKind


def graph(output: OutputKind) -> Graph:
    return Graph(Compute(miniature_model("gan-ring").game, lambda z: z), (), output, "")


def draw(output: str) -> Any:
    shapes = {"pictures": (64, 1, 4, 4), "voxels": (64, 1, 3, 3, 3), "points": (64, 2), "text": (64, 5), "logits": (64, 10)}
    random = np.random.default_rng(0)
    return random.integers(0, 5, shapes[output]) if output == "text" else random.uniform(-1, 1, shapes[output])


@pytest.mark.parametrize("output", get_args(OutputKind))
def test_the_same_agrees(output: OutputKind) -> None:
    x = draw(output)
    assert measure(graph(output), x, x.copy()).worst == 0


@pytest.mark.parametrize(("output", "step"), [("pictures", 2 / 255), ("voxels", 2 / 255), ("points", 2 / 255)])
def test_one_level_agrees_and_two_do_not(output: OutputKind, step: float) -> None:
    x = draw(output) * 0.9
    other = x.copy()
    other.flat[3] += 0.99 * step if output != "points" else 0.99 * np.ptp(x[:, 1]) / 255
    assert measure(graph(output), x, other).worst == pytest.approx(0.99, abs=0.01)
    other.flat[3] += 2 * step
    with pytest.raises(DataError, match="differs from PyTorch"):
        measure(graph(output), x, other)


def test_one_line_of_text_may_differ() -> None:
    x = draw("text")
    other = x.copy()
    other[0, 0] += 1
    assert str(measure(graph("text"), x, other)) == "1 line different at most on 64 inputs"
    other[1, 0] += 1
    with pytest.raises(DataError, match="2 lines different"):
        measure(graph("text"), x, other)


def test_other_probabilities_are_refused() -> None:
    x = draw("logits")
    other = x.copy()
    other[0, 0] += 1
    with pytest.raises(DataError, match="of probability"):
        measure(graph("logits"), x, other)


def test_other_shapes_and_numbers_that_are_not_finite_are_refused() -> None:
    x = draw("pictures")
    with pytest.raises(DataError, match="shape"):
        measure(graph("pictures"), x, x[:3])
    bad = x.copy()
    bad[0] = np.nan
    with pytest.raises(DataError, match="not finite"):
        measure(graph("pictures"), x, bad)


def test_what_is_no_model_is_one_line() -> None:
    pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    with pytest.raises(DataError, match="onnxruntime cannot read") as caught:
        open_session(b"nonsense")
    assert "\n" not in str(caught.value)
