"""Weights that come with ganvas: a file that is not the one of the release is refused; a network begins with them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from ganvas.errors import DataError
from ganvas.metrics.picture_network import FILE, SHA256
from ganvas.utils.shipped_weights import begin_with, read_shipped_weights


@pytest.mark.parametrize("change", ["a byte", "a shorter file", "no file"])
def test_a_damaged_file_is_refused(tmp_path: Path, change: str) -> None:
    damaged, path = bytearray(FILE.read_bytes()), tmp_path / "pictures.safetensors"
    damaged[-1] ^= 1
    if change != "no file":
        path.write_bytes(damaged if change == "a byte" else damaged[:1000])
    with pytest.raises(DataError, match="SHA-256"):
        read_shipped_weights(path, SHA256)


def test_weights_are_copied_if_all_of_them_fit() -> None:
    weights = {"weight": torch.ones(2, 3), "bias": torch.full((2,), 5.0)}
    layer = nn.Linear(3, 2)
    assert begin_with(layer, weights)
    assert torch.equal(layer.weight, weights["weight"])
    assert torch.equal(layer.bias, weights["bias"])
    for other in (nn.Linear(4, 2), nn.Linear(3, 1), nn.Linear(3, 2, bias=False), nn.Conv1d(3, 2, 1)):
        before = {name: each.clone() for name, each in other.state_dict().items()}
        assert not begin_with(other, weights)
        assert all(torch.equal(before[name], each) for name, each in other.state_dict().items())


def test_layers_for_classes_may_be_larger() -> None:
    inputs, before = nn.Linear(5, 2), nn.Linear(5, 2)
    before.load_state_dict(inputs.state_dict())
    assert begin_with(inputs, {"weight": torch.ones(2, 3)}, larger=("weight",))
    assert (inputs.weight[:, :3] == 1).all()
    assert torch.equal(inputs.weight[:, 3:], before.weight[:, 3:])
    outputs, row = nn.Linear(3, 4), {"weight": torch.rand(1, 3), "bias": torch.rand(1)}
    assert begin_with(outputs, row, larger=("weight", "bias"))
    assert torch.equal(outputs.weight, row["weight"].expand(4, 3))
    assert torch.equal(outputs.bias, row["bias"].expand(4))
    assert not begin_with(nn.Linear(3, 4), row, larger=("weight",))
