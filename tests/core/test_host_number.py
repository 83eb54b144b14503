"""A scalar buffer as a Python number: always the buffer's, and read only after a change."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ganvas.core.host_number import HostNumber


class Level(nn.Module):
    level: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros(()))
        self.at = HostNumber()


def test_it_is_the_buffers_number_however_that_changed() -> None:
    module = Level()
    assert module.at.read(module.level) == 0
    module.level.fill_(2.5)
    assert module.at.read(module.level) == 2.5
    module.load_state_dict({"level": torch.tensor(1.25)})
    assert module.at.read(module.level) == 1.25
    module.at.write(module.level, 0.1)
    assert module.at.read(module.level) == float(module.level) != 0.1  # as float32 rounds it


def test_a_copy_has_a_number_of_its_own() -> None:
    module = Level()
    module.at.write(module.level, 3.0)
    other = copy.deepcopy(module)
    for value in (1.0, 2.0, 5.0, 7.0):
        other.level.fill_(value)
    assert other.at.read(other.level) == 7
    assert module.at.read(module.level) == 3


def test_what_was_written_is_not_read_back() -> None:
    module = Level().to("meta")  # which holds no number that could be read
    module.at.write(module.level, 1.5)
    assert module.at.read(module.level) == 1.5
