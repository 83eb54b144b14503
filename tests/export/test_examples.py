"""Examples in a page: only of data that come with ganvas, held out where there is a test split."""

from __future__ import annotations

import base64

import numpy as np
from support import miniature_model

from ganvas.data.builtin import mnist
from ganvas.export.examples import COUNT, find_examples
from ganvas.export.graphs import make_graph
from ganvas.inference.model import Model


def classifier(source: str) -> Model:
    """A classifier of digits of 28 pixels, as if trained on `source`."""
    model = miniature_model("classifier-mnist")
    model.card["recipe"]["config"]["resolution"] = 28
    model.card["recipe"]["data"]["source"] = source
    return model


def test_examples_are_held_out_digits() -> None:
    model = classifier("mnist")
    given = make_graph(model).inputs[0]
    small = type(given)(given.name, given.kind, (1, 28, 28))
    found = find_examples(model, (small,))["real"]
    assert len(found) == COUNT
    test = {each.tobytes() for each in mnist.load_digits("test")[0]}
    for each in found:
        data = base64.b64decode(each)
        assert len(data) == 28 * 28
        assert np.frombuffer(data, np.uint8).max() > 200
        assert data in test


def test_pictures_of_the_user_never_go_into_a_page(tmp_path: object) -> None:
    model = classifier(str(tmp_path))
    assert find_examples(model, make_graph(model).inputs) == {}
    assert find_examples(classifier("photos"), make_graph(model).inputs) == {}
