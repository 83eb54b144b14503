"""Write a graph as one ONNX file: named inputs of any batch size, no path and no code of this machine in it.

Source of the format: onnx.ai, opset 20. The exporter is that of PyTorch (torch.export); it needs the extra `export`.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ganvas import __version__
from ganvas.core.capabilities import Writes
from ganvas.errors import UsageError
from ganvas.export.graphs import Graph
from ganvas.inference.drawn_maps import find_legend
from ganvas.inference.loaded_game import LoadedGame

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
OPSET = 20  # the first with all of GridSample and Gelu; read by every onnxruntime since 1.17
KEY = "ganvas"  # of the metadata of the file
TRACED = 2  # samples that are traced; one alone would be taken for a constant


def require_extra() -> None:
    """Raises: UsageError: the packages of the extra `export` are not installed."""
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise UsageError(f"an export needs {' and '.join(missing)}: pip install 'ganvas[export]'")


def to_onnx(graph: Graph, description: Mapping[str, Any]) -> bytes:
    """The bytes of an ONNX file that computes the graph; `description` is kept in its metadata as JSON.

    Raises:
        UsageError: the extra `export` is not installed, or this PyTorch cannot export the model.
    """
    require_extra()
    import onnx

    inputs = tuple(each.draw(range(TRACED)) for each in graph.inputs)
    graph.compute(*inputs)  # numbers that decide which layers run are read before the trace
    with _quiet(), torch.no_grad(), _zero_biases(graph.module):
        try:
            program: Any = torch.onnx.export(
                graph.module,
                inputs,
                dynamo=True,
                external_data=False,
                opset_version=OPSET,
                input_names=[each.name for each in graph.inputs],
                output_names=[graph.output],
                dynamic_shapes=(tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs),),
                verbose=False,
                optimize=False,  # its rules take a term of 1e-8 for zero and leave it out: a division by zero
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0][:200]
            raise UsageError(f"this PyTorch ({torch.__version__}) cannot export the model: {reason}") from error
    proto = program.model_proto
    _name_casts(proto)
    _tidy(proto.graph)
    for function in proto.functions:
        _tidy(function)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    proto.producer_name, proto.producer_version = "ganvas", __version__
    proto.doc_string = graph.about
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, {KEY: json.dumps({**description, **describe_graph(graph)})})
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def describe_graph(graph: Graph) -> dict[str, Any]:
    """The inputs and the output for the metadata of a file, for a card and for a page."""
    inputs = [
        {"name": each.name, "kind": each.kind, "shape": list(each.shape), "classes": each.classes, "about": each.about}
        for each in graph.inputs
    ]
    return {"about": graph.about, "inputs": inputs, "output": graph.output}


def describe_model(model: LoadedGame) -> dict[str, Any]:
    """What whoever uses the file must know of the model: names of classes, classes of a map, symbols of text."""
    found = {"recipe": model.name, "model": model.identity, "classes": list(model.card["classes"])}
    if "map" in getattr(model.game, "takes", ()):
        found["legend"] = list(find_legend(model).names)
    if isinstance(model.game, Writes):
        found["symbols"] = list(model.game.config.alphabet)
    return found


def _name_casts(proto: Any) -> None:
    """CastLike becomes Cast: onnxruntime has no kernel of it for a CPU, and warns of each whenever the file is opened."""
    import onnx

    found = onnx.shape_inference.infer_shapes(proto).graph
    types = {each.name: each.type.tensor_type.elem_type for each in (*found.value_info, *found.input, *found.output)}
    types |= {weight.name: weight.data_type for weight in found.initializer}
    for node in proto.graph.node:
        if node.op_type == "CastLike" and types.get(node.input[1]):
            node.op_type = "Cast"
            node.attribute.append(onnx.helper.make_attribute("to", types[node.input.pop()]))


def _tidy(graph: Any) -> None:
    """Remove what the exporter writes about the source code: paths of this machine, and half of a small file."""
    del graph.metadata_props[:]
    graph.doc_string = ""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _tidy(attribute.g)
    for value in (*getattr(graph, "input", ()), *getattr(graph, "output", ()), *graph.value_info):
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
    for weight in getattr(graph, "initializer", ()):
        del weight.metadata_props[:]


@contextmanager
def _zero_biases(module: nn.Module) -> Iterator[None]:
    """Convolutions of solids without a bias get one of zeros: what the exporter writes instead, onnxruntime refuses."""
    bare = [each for each in module.modules() if isinstance(each, nn.Conv3d) and each.bias is None]
    for each in bare:
        each.bias = nn.Parameter(torch.zeros(each.out_channels))
    try:
        yield
    finally:
        for each in bare:
            each.bias = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes of the exporter about itself, which mean nothing to the user."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.onnx._internal.exporter", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
