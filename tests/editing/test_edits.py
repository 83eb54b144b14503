"""Edits: steps move the code as they say, can be switched off, come back from JSON, and refuse what the model cannot do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from support import miniature_model as model
from torch import Tensor

from ganvas.editing.edits import MOST_STEPS, Editor, Place, Step, read_steps, write_steps
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes

STYLED, BY_CLASS = "stylegan2-fashion", "cgan-mnist"


def draw(editor: Editor, place: Place) -> Tensor:
    return editor.draw([place])[0]


@pytest.mark.parametrize("name", ["gan-mnist", BY_CLASS, STYLED, "stylegan2-fashion-conditional"])
def test_it_begins_with_the_sample_of_a_seed(name: str) -> None:
    one = model(name)
    label = 0 if one.classes else None
    own = torch.cat([part for part, _ in one.stream(1, 7, label)])[0]
    editor = Editor(one)
    assert torch.equal(draw(editor, editor.of_seed(7, label)), own)


@pytest.mark.parametrize(("name", "space"), [(BY_CLASS, "z"), (STYLED, "z"), (STYLED, "w"), (STYLED, "w+")])
def test_it_begins_with_given_codes(name: str, space: str) -> None:
    editor = Editor(model(name))
    place = editor.of_seed(3, 2 if name == BY_CLASS else None)
    code = place.code if space == "w+" or name == BY_CLASS else place.code[0]
    if (name, space) == (STYLED, "z"):
        code = model(name).space("z").of_seeds([3], None)[0]
    classes = torch.tensor([2]) if name == BY_CLASS else None
    again = editor.of_codes(Codes(space, code[None].repeat(2, *[1] * code.ndim), classes and classes.repeat(2), ("a", "b")))
    assert torch.equal(draw(editor, again), draw(editor, place))


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        (STYLED, Codes("w+", torch.zeros(1, 2, 4))),
        (STYLED, Codes("w", torch.zeros(1, 5))),
        ("gan-mnist", Codes("w", torch.zeros(1, 4))),
        ("gan-mnist", Codes("z", torch.zeros(1, 9))),
        (BY_CLASS, Codes("z", torch.zeros(1, 4))),
    ],
)
def test_codes_of_another_model(name: str, codes: Codes) -> None:
    with pytest.raises(UsageError, match="another model"):
        Editor(model(name)).of_codes(codes)


def test_a_direction_moves_by_standard_deviations_and_back() -> None:
    editor = Editor(model(STYLED))
    place = editor.of_seed(0)
    there = editor.apply(place, Step(kind="move", name="pca:0", amount=2))
    way = editor.find_direction("pca:0")
    torch.testing.assert_close(((there.code - place.code) @ way.vector.float()) / way.sd, torch.full((editor.styles,), 2.0))
    back = editor.apply(there, Step(kind="move", name="pca:0", amount=-2))
    torch.testing.assert_close(back.code, place.code)


def test_a_class_is_reached_at_one() -> None:
    one = model(BY_CLASS)
    editor = Editor(one)
    place = editor.of_seed(5, 3)
    there = editor.apply(place, Step(kind="morph", name="8"))
    torch.testing.assert_close(draw(editor, there), draw(editor, editor.of_seed(5, 8)))
    half = editor.apply(place, Step(kind="morph", name="8", amount=0.5))
    assert half.shares is not None
    assert half.shares.tolist() == [0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0]
    styled = Editor(model("stylegan2-fashion-conditional"))
    start = styled.of_seed(0, 0)
    end = styled.apply(start, Step(kind="morph", name=model("stylegan2-fashion-conditional").classes[4]))
    nearest = int((start.code.mean(0) - styled.class_means).norm(dim=1).argmin())
    torch.testing.assert_close(end.code, start.code + styled.class_means[4] - styled.class_means[nearest])


def test_mixing_takes_the_later_styles_of_another_seed() -> None:
    editor = Editor(model(STYLED))
    place, other = editor.of_seed(0), editor.of_seed(1)
    mixed = editor.apply(place, Step(kind="mix", seed=1, first=2))
    assert torch.equal(mixed.code[:2], place.code[:2])
    assert torch.equal(mixed.code[2:], other.code[2:])


def test_steps_can_be_switched_off() -> None:
    editor = Editor(model(STYLED))
    steps = [Step(kind="move", name="sefa:0", amount=1), Step(kind="mix", seed=1), Step(kind="move", name="pca:1")]
    places = editor.follow(editor.of_seed(0), steps)
    assert len(places) == 4
    some = editor.follow(editor.of_seed(0), [steps[0], replace(steps[1], on=False), steps[2]])
    assert torch.equal(some[2].code, some[1].code)
    without = editor.follow(editor.of_seed(0), [steps[0], steps[2]])
    assert torch.equal(some[3].code, without[2].code)


@pytest.mark.parametrize("name", ["gan-mnist", BY_CLASS, STYLED])
def test_a_brush_changes_where_it_painted(name: str) -> None:
    one = model(name)
    editor = Editor(one)
    place = editor.of_seed(0, 3 if one.classes else None)
    before, wanted = draw(editor, place), draw(editor, editor.of_seed(9, 3 if one.classes else None))
    covered = torch.zeros(before.shape[1:])
    covered[:, :12] = 1
    step, stopped = editor.brush(place, wanted, covered)
    assert not stopped
    after = draw(editor, editor.apply(place, step))

    def far(picture: Tensor) -> float:
        return float(((picture - wanted) * covered).square().mean())

    assert far(after) < 0.7 * far(before)
    half = editor.apply(place, replace(step, amount=0.5))
    torch.testing.assert_close(half.code - place.code, (editor.apply(place, step).code - place.code) / 2)
    assert (half.shares is None) == (name != BY_CLASS)
    with pytest.raises(UsageError, match="strokes"):
        editor.brush(place, wanted, torch.zeros_like(covered))

    def interrupt(_: Tensor) -> None:
        raise KeyboardInterrupt

    assert editor.brush(place, wanted, covered, watch=interrupt)[1]


def test_a_drag_is_a_step() -> None:
    editor = Editor(model(STYLED))
    place = editor.of_seed(0)
    step, found = editor.drag(place, [(15, 15)], [(15, 11)], watch=lambda *_: False)
    assert (step.kind, step.name, found.reason) == ("shift", "drag", "stopped")
    torch.testing.assert_close(editor.apply(place, step).code, found.codes[-1])
    with pytest.raises(UsageError, match="no styles"):
        Editor(model("gan-mnist")).drag(Place(torch.zeros(4)), [(1, 1)], [(2, 2)])


def test_steps_come_back_from_json() -> None:
    steps = [
        Step(kind="move", name="pca:0", amount=-1.5, on=False),
        Step(kind="shift", name="brush", change=(0.5, -1.0)),
        Step(kind="mix", seed=4, first=3),
    ]
    assert read_steps(json.loads(json.dumps(write_steps(steps)))) == steps


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "list"),
        ([{"kind": "paint"}], "kind"),
        ([{"kind": "move", "amount": 1e9}], "amount"),
        ([{"kind": "move", "amount": float("nan")}], "amount"),
        ([{"kind": "shift", "change": [float("inf")]}], "expected float"),
        ([{"kind": "move", "where": 1}], "where"),
        ([3], "expected"),
    ],
)
def test_wrong_steps(values: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as error:
        read_steps(values)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "step", "says"),
    [
        ("gan-mnist", Step(kind="mix"), "no styles"),
        ("gan-mnist", Step(kind="morph", name="3"), "no classes"),
        ("gan-mnist", Step(kind="move", name="pca:0"), "pca"),
        ("gan-mnist", Step(kind="shift", change=(1.0,)), "another model"),
        (BY_CLASS, Step(kind="morph", name="eleven"), "class"),
        (STYLED, Step(kind="move", name="sefa:0-1"), "expected one"),
        (STYLED, Step(kind="mix", first=99), "layer from 0"),
    ],
)
def test_what_a_model_cannot_do(name: str, step: Step, says: str) -> None:
    editor = Editor(model(name))
    with pytest.raises(UsageError, match=says):
        editor.apply(editor.of_seed(0), step)


def test_other_models_and_long_lists() -> None:
    for name in ("gan-ring", "voxel-shapes", "textgan-names", "classifier-mnist"):
        with pytest.raises(UsageError):
            Editor(model(name))
    editor = Editor(model("gan-mnist"))
    with pytest.raises(UsageError, match="at most"):
        editor.follow(editor.of_seed(0), [Step(kind="move", name="axis:0")] * (MOST_STEPS + 1))


def test_mixing_takes_single_layers() -> None:
    editor = Editor(model(STYLED))
    place, other = editor.of_seed(0), editor.of_seed(1)
    mixed = editor.apply(place, Step(kind="mix", seed=1, layers=(1, 3)))
    taken = [bool(torch.equal(mixed.code[k], other.code[k])) for k in range(editor.styles)]
    assert taken == [k in (1, 3) for k in range(editor.styles)]


@pytest.mark.parametrize("name", ["gan-mnist", BY_CLASS, STYLED, "stylegan2-fashion-conditional"])
def test_a_sum_adds_and_subtracts_means_of_seeds(name: str) -> None:
    editor = Editor(model(name))
    place = editor.of_seed(0)
    torch.testing.assert_close(editor.apply(place, Step(kind="sum", plus="4-6", minus="4-6")).code, place.code)
    there = editor.apply(place, Step(kind="sum", plus="1", minus="0"))  # a - a + b
    torch.testing.assert_close(there.code, scale(editor.of_seed(1).code, None if editor.styles else place.code))
    kept = editor.apply(place, Step(kind="sum", plus="1,2", minus="3", amount=0))
    torch.testing.assert_close(kept.code, place.code)


def scale(code: Tensor, like: Tensor | None) -> Tensor:
    """A code with the length of another one."""
    return code if like is None else code / code.norm() * like.norm()


def test_a_sum_adds_and_subtracts_classes() -> None:
    editor = Editor(model(BY_CLASS))
    there = editor.apply(editor.of_seed(0, 3), Step(kind="sum", plus="8:1-3", minus="3:1-3"))
    assert there.shares is not None
    assert there.shares.argmax() == 8
    torch.testing.assert_close(draw(editor, there), draw(editor, editor.of_seed(0, 8)))


@pytest.mark.parametrize(
    ("plus", "minus", "says"),
    [
        ("", "1", "seeds such as"),
        ("a cat", "1", "seeds such as"),
        ("0-256", "1", "at most 256 seeds, got 257"),
        ("8:1", "3", "one side alone"),
        ("eleven:1", "3:1", "class"),
        (str(2**63), "1", "seed"),
    ],
)
def test_wrong_sums(plus: str, minus: str, says: str) -> None:
    editor = Editor(model(BY_CLASS))
    with pytest.raises(UsageError, match=says):
        editor.apply(editor.of_seed(0), Step(kind="sum", plus=plus, minus=minus))
