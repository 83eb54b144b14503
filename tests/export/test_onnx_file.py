"""Every recipe becomes one ONNX file that computes what PyTorch computes, with noise, class and pictures as inputs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import miniature_model

from ganvas.core.capabilities import Conditional, Samples
from ganvas.errors import UsageError
from ganvas.export import onnx_file
from ganvas.export.agreement import compare, open_session, run_session
from ganvas.export.graphs import Graph, make_graph, make_steered_graph
from ganvas.export.onnx_file import KEY, describe_model, to_onnx
from ganvas.export.usage_examples import onnx_usage
from ganvas.games import RECIPES
from ganvas.inference.model import Model
from ganvas.inference.picture_translation import list_ways
from ganvas.latents.seed_latents import latents

onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed: pip install 'ganvas[export]'")
pytest.importorskip("onnxruntime", reason="the extra `export` is not installed: pip install 'ganvas[export]'")
pytestmark = pytest.mark.timeout(900)  # an export takes seconds, minutes on a busy machine
FAST = ("cgan-mnist",)
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in RECIPES if name not in FAST]


def graph_of(model: Model) -> Graph:
    """The graph of the first direction."""
    ways = list_ways(model.game)
    return make_graph(model, ways[0].direction if len(ways) > 1 else None)


@pytest.mark.parametrize("name", [*FAST, *SLOW])
def test_every_recipe_computes_the_same_outside(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = miniature_model(name)
    graph = graph_of(model)
    data = to_onnx(graph, describe_model(model))
    agreement = compare(graph, data)  # in batches of three sizes, none of which was traced
    assert agreement.inputs == 64
    assert agreement.worst <= (1 if graph.output == "text" else 0.05)  # levels: far less than what is allowed
    proto = onnx.load_from_string(data)
    assert [each.name for each in proto.graph.input] == [each.name for each in graph.inputs]
    assert all(value.type.tensor_type.shape.dim[0].dim_param == "batch" for value in (*proto.graph.input, *proto.graph.output))
    assert not any(node.op_type == "CastLike" for node in proto.graph.node), "onnxruntime warns of it"
    assert not any(weight.data_location for weight in proto.graph.initializer), "weights in other files"
    assert str(Path(__file__).parents[2]).encode() not in data, "a path of this machine"
    (facts,) = (json.loads(each.value) for each in proto.metadata_props if each.key == KEY)
    assert facts["recipe"] == model.name
    monkeypatch.chdir(tmp_path)
    Path("m.onnx").write_bytes(data)
    exec(onnx_usage(facts, "m.onnx").split("```python\n")[1].split("```")[0], {})  # as the card says


@pytest.mark.parametrize("name", ["cgan-mnist", pytest.param("stylegan2-fashion-conditional", marks=pytest.mark.slow)])
def test_inputs_are_inputs_and_not_constants(name: str) -> None:
    model = miniature_model(name)
    graph = make_steered_graph(model)
    session = open_session(to_onnx(graph, {}))
    feeds: dict[str, Any] = {each.name: each.draw(range(2)).numpy() for each in graph.inputs}
    feeds = {key: np.repeat(value[:1], 2, 0) for key, value in feeds.items()}  # twice the same
    same = run_session(session, feeds)
    assert np.array_equal(same[0], same[1])
    for each in graph.inputs:
        other = dict(feeds)
        changed = feeds[each.name].copy()
        changed[1] = changed[1] + 1 if each.kind == "class" else changed[1] * 0.5 + 0.3
        other[each.name] = changed
        found = run_session(session, other)
        assert np.abs(found[0] - found[1]).max() > 1e-6, f"{each.name} changes nothing"


def test_the_file_makes_the_samples_of_the_seeds() -> None:
    model = miniature_model("cgan-mnist")
    session = open_session(to_onnx(make_graph(model), {}))
    z = latents(range(5), model.drawer.latent_dim).numpy()
    found = run_session(session, {"z": z, "class": np.full(5, 3)})
    levels = np.clip((found + 1) * 127.5, 0, 255).round().astype(np.uint8).transpose(0, 2, 3, 1)
    assert np.abs(levels.astype(int) - model.sample(5, label=3).astype(int)).max() <= 1


def test_what_nobody_can_run_is_no_export() -> None:
    model = miniature_model("gan-ring")
    for option in ({"to": "x"}, {"side": 32}):
        with pytest.raises(UsageError, match="leave --"):
            make_graph(model, **option)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="several directions"):
        make_graph(miniature_model("cyclegan-emoji"))
    with pytest.raises(UsageError, match="multiple of"):
        make_graph(miniature_model("pix2pix-emoji"), side=33)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(UsageError, match=r"needs no_such_package: pip install 'ganvas\[export\]'"):
        to_onnx(make_graph(miniature_model("gan-ring")), {})


def test_all_recipes_have_a_graph() -> None:
    for name in RECIPES:
        model = miniature_model(name)
        kinds = [each.kind for each in graph_of(model).inputs]
        if isinstance(model.game, Samples):
            assert kinds[0] == "noise"
            assert ("class" in kinds) == isinstance(model.game, Conditional)
        else:
            assert kinds[0] in ("picture", "map")


def test_test_inputs_are_in_range_and_depend_on_their_own_seed_only() -> None:
    for name in ("spade-earth", "inpaint-photos", "cgan-mnist", "classifier-shapes"):
        for each in graph_of(miniature_model(name)).inputs:
            drawn = each.draw(range(4))
            assert drawn.shape == (4, *each.shape)
            assert torch.equal(each.draw([2])[0], drawn[2])
            if each.kind == "picture":
                assert drawn.abs().max() <= 1
            if each.kind == "map":
                assert set(drawn.unique().tolist()) <= {*range(each.classes), 255}


def test_a_file_is_read_by_the_checker_of_onnx() -> None:
    data = to_onnx(make_graph(miniature_model("gan-ring")), {})
    onnx.checker.check_model(onnx.load(io.BytesIO(data)), full_check=True)
