"""A batch is checked once, at the boundary, with the field, what was expected and what came."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganvas.errors import DataError
from ganvas.fields import FIELDS, Field, check


def test_a_good_batch_passes_and_other_fields_are_left_alone() -> None:
    batch = {"real": torch.zeros(4, 3, 8, 8), "label": torch.zeros(4, dtype=torch.int64), "stranger": torch.zeros(1)}
    check(batch, ("real", "label"))
    check(batch, ())
    check({"real": torch.zeros(4)}, ("real",))
    check({"real": torch.zeros(4, 2)}, ("real",))


@pytest.mark.parametrize(
    ("batch", "needs", "message"),
    [
        ({}, "reel", "unknown batch field 'reel'; known fields: real"),
        ({"label": torch.zeros(1)}, "real", "the game needs the field 'real' (a sample of the data); the data gives: label"),
        ({"real": torch.zeros(4, dtype=torch.float64)}, "real", "field 'real': expected float32, got float64"),
        ({"real": torch.zeros(4, dtype=torch.uint8)}, "real", "field 'real': expected float32, got uint8"),
        ({"real": torch.tensor(0.0)}, "real", "field 'real': expected dimensions [N, ...], got shape []"),
        (
            {"label": torch.zeros(4, 1, dtype=torch.int64)},
            "label",
            "field 'label': expected dimensions [N], got shape [4, 1]",
        ),
        ({"label": torch.tensor(3)}, "label", "field 'label': expected dimensions [N], got shape []"),
        (
            {"real": torch.zeros(4), "label": torch.zeros(3, dtype=torch.int64)},
            "real label",
            "fields of one batch must have one batch size, got {'real': 4, 'label': 3}",
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
    assert isinstance(getattr(torch, field.dtype), torch.dtype)
    assert field.dims[0] == "N"
    assert "..." not in field.dims[:-1]
    assert field.range
    assert field.meaning
