"""Numbers of a step come to the CPU together."""

from __future__ import annotations

import torch

from ganvas.core.telemetry import read_together


def test_scalars_of_all_groups_arrive_under_their_names_and_the_rest_stays() -> None:
    rows = torch.zeros(3)
    terms, notes, none = read_together(
        {"D": torch.tensor(1.5, dtype=torch.float64), "G": torch.ones(1, requires_grad=True)},
        {"rows": rows, "skill": torch.tensor(2)},
        {},
    )
    assert {name: float(value) for name, value in terms.items()} == {"D": 1.5, "G": 1.0}
    assert all(value.dtype == torch.float32 and not value.requires_grad and value.ndim == 0 for value in terms.values())
    assert notes["rows"] is rows
    assert float(notes["skill"]) == 2
    assert none == {}
