"""A batch is checked once, at the boundary, with the field, what was expected and what came."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganvas.core.fields import FIELDS, Field, check
from ganvas.core.modality import MODALITIES
from ganvas.errors import DataError


def ids(*shape: int) -> Tensor:
    return torch.zeros(*shape, dtype=torch.int64)


def test_a_good_batch_passes_and_other_fields_are_left_alone() -> None:
    batch = {"real": torch.zeros(4, 3, 8, 8), "label": ids(4), "stranger": torch.zeros(1)}
    check(batch, ("real", "label"))
    check(batch, ())
    check({"real": torch.zeros(4, 2)}, ("real",))
    check({"real": torch.zeros(4, 1, 8, 8, 8)}, ("real",))
    check({"text": ids(4, 9)}, ("text",))


def test_fields_of_one_row_fit() -> None:
    image = torch.zeros(4, 3, 8, 6)
    check(
        {"source": image[:, :1], "target": image, "map": ids(4, 8, 6), "mask": ids(4, 8, 6)},
        ("source", "target", "map", "mask"),
    )
    check({"low": image, "real": torch.zeros(4, 3, 32, 24)}, ("low", "real"))
    check({"source": image, "driving": torch.zeros(4, 5, 3, 8, 6)}, ("source", "driving"))
    check({"a": image, "b": torch.zeros(4, 3, 16, 16)}, ("a", "b"))  # of two tables


@pytest.mark.parametrize(
    ("batch", "needs", "message"),
    [
        ({}, "reel", "unknown batch field 'reel'; did you mean 'real'?"),
        ({"label": torch.zeros(1)}, "real", "the game needs the field 'real' (a sample of the data); the data gives: label; "),
        ({"real": torch.zeros(4, 2).double()}, "real", "field 'real': expected float32 points [N, D], images [N, C, H, W], "),
        ({"real": ids(4, 3, 8, 8)}, "real", "field 'real': expected float32 points [N, D], images [N, C, H, W], "),
        ({"real": torch.tensor(0.0)}, "real", "field 'real': expected float32 points [N, D], images [N, C, H, W], "),
        ({"label": ids(4, 1)}, "label", "field 'label': expected int64 labels [N], found int64 [4, 1]"),
        ({"map": torch.zeros(4, 8, 8)}, "map", "field 'map': expected int64 label maps [N, H, W], found float32 [4, 8, 8]"),
        (
            {"real": torch.zeros(4, 2), "label": ids(3)},
            "real label",
            "fields of one batch: expected one batch size, found {'real': 4, 'label': 3}; ",
        ),
        (
            {"source": torch.zeros(4, 3, 8, 8), "real": torch.zeros(4, 3, 8, 9)},
            "source real",
            "fields of one row: expected one height and width, found {'source': (8, 8), 'real': (8, 9)}; ",
        ),
        (
            {"map": ids(4, 8, 8), "real": torch.zeros(4, 3, 16, 16)},
            "map real",
            "fields of one row: expected one height and width, found {'map': (8, 8), 'real': (16, 16)}; ",
        ),
        (
            {"low": torch.zeros(4, 3, 8, 8), "real": torch.zeros(4, 3, 32, 16)},
            "low real",
            "field 'low': expected the size of 'real', [32, 16], divided by a whole number, found [8, 8]; ",
        ),
        (
            {"low": torch.zeros(4, 3, 8, 8), "real": torch.zeros(4, 3, 4, 4)},
            "low real",
            "field 'low': expected the size of 'real', [4, 4], divided by a whole number, found [8, 8]; ",
        ),
    ],
)
def test_a_bad_batch_is_one_clear_line(batch: dict[str, Tensor], needs: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        check(batch, needs.split())
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", FIELDS)
def test_the_vocabulary_is_well_formed(name: str) -> None:
    field = FIELDS[name]
    assert isinstance(field, Field)
    assert field.modalities
    assert field.meaning
    assert name == "label" or set(field.modalities) <= set(MODALITIES.values())
