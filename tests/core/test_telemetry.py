"""Numbers of a step come to the CPU together."""

from __future__ import annotations

import torch

from ganvas.core.telemetry import is_note, list_discriminators, read_together


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


def test_notes_are_known_by_name_also_those_of_one_discriminator() -> None:
    notes = ("step", "skill", "skill_photo", "verdict_real_a", "gradient_generator", "nats_per_symbol", "ELBO")
    assert all(map(is_note, notes))
    assert not any(map(is_note, ("D", "G", "R1_a", "cycle", "path", "KL", "reconstruction", "likelihood", "L1")))


def test_discriminators_are_found_in_the_columns() -> None:
    assert list_discriminators(["step", "D", "verdict_real", "skill"]) == [""]
    assert list_discriminators(["D_a", "verdict_real_b", "verdict_real_a", "skill_b"]) == ["b", "a"]
    assert list_discriminators(["step", "KL", "ELBO"]) == []
