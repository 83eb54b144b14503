"""Run an exported file with onnxruntime and compare it with PyTorch, on 64 inputs, in batches of several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ganvas.errors import DataError
from ganvas.export.graphs import Graph
from ganvas.inference.batches import in_chunks

INPUTS = 64
BATCHES = (1, 7, 56)  # their sum is INPUTS: the size of a batch is not a constant of the file
LEVELS = 255  # of a picture
MOST_LINES = 1  # of INPUTS that may differ: a symbol is chosen by a comparison, which rounding may turn

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Agreement:
    """How far the outputs of a file are from those of PyTorch, at most."""

    inputs: int
    worst: float  # grey levels; of points 1/255 of their range; of logits 1/255 of probability; of text lines that differ
    unit: str
    limit: float

    def __str__(self) -> str:
        return f"{self.worst:.2g} {self.unit} at most on {self.inputs} inputs"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare(graph: Graph, data: bytes) -> Agreement:
    """The largest difference between the file `data` and PyTorch, for the inputs of seeds 0 .. 63.

    Raises:
        DataError: the file cannot be run, or differs by more than one level; one line says which and by how much.
    """
    seeds = list(range(INPUTS))
    whole = [each.draw(seeds) for each in graph.inputs]
    expected = in_chunks(lambda rows: graph.compute(*(x[rows] for x in whole)), INPUTS, 32).numpy()
    found, start = [], 0
    session = open_session(data)
    for size in BATCHES:
        feeds = {each.name: x[start : start + size].numpy() for each, x in zip(graph.inputs, whole, strict=True)}
        found.append(run_session(session, feeds))
        start += size
    return measure(graph, expected, np.concatenate(found))


def open_session(data: bytes) -> Any:
    """A session of onnxruntime on the CPU. Raises: DataError: it cannot read the file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each status, without a public base
        raise DataError(f"onnxruntime cannot read the exported model: {_first_line(error)}") from error


def run_session(session: Any, feeds: dict[str, Array]) -> Array:
    """The output for a batch. Raises: DataError: it cannot be computed."""
    try:
        return np.asarray(session.run(None, feeds)[0])
    except Exception as error:
        raise DataError(f"onnxruntime cannot run the exported model: {_first_line(error)}") from error


def measure(graph: Graph, expected: Array, found: Array) -> Agreement:
    """Raises: DataError: other shapes, numbers that are not finite, or more than a level apart."""
    if expected.shape != found.shape:
        raise DataError(f"the exported model gives shape {list(found.shape)}, PyTorch {list(expected.shape)}; not written")
    if graph.output == "text":
        lines = int((expected != found).any(1).sum())
        agreement = Agreement(INPUTS, lines, f"line{'s' * (lines != 1)} different", MOST_LINES)
    else:
        if not np.isfinite(expected).all() or not np.isfinite(found).all():
            raise DataError("the output is not finite: the model has diverged; go back to an earlier checkpoint")
        unit = "grey levels"
        if graph.output == "points":
            unit, span = "of 255 parts of the range", expected.max(0) - expected.min(0)
            expected, found = (x / np.where(span > 0, span, 1) for x in (expected, found))
        elif graph.output == "logits":
            unit = "of 255 parts of probability"
            expected, found = _softmax(expected), _softmax(found)
        else:  # what a picture cuts off is no difference
            expected, found = (x.clip(-1, 1) / 2 for x in (expected, found))
        agreement = Agreement(INPUTS, float(np.abs(expected - found).max()) * LEVELS, unit, 1.0)
    if not agreement.worst <= agreement.limit:
        raise DataError(
            f"the exported model differs from PyTorch: {agreement}; at most {agreement.limit:g} allowed; not written"
        )
    return agreement


def _softmax(logits: Sequence[float] | Array) -> Array:
    shifted = np.exp(np.asarray(logits, np.float64) - np.max(logits, 1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]
