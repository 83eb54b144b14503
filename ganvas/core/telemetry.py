"""The measured values of a step: their names in the log, and their transfer to the host, one for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

# The columns of a row of `log.jsonl` that are not losses: name -> meaning and unit. A loss has a name that its game chooses.
# In a game with several discriminators a note of one of them ends in its name: skill_photo.
NOTES: Mapping[str, str] = {
    "step": "steps since the start of the run",
    "items": "samples of the data since the start of the run",
    "dropped": "steps left out so far, because a loss or gradient was not finite",
    "verdict_real": "share of the reals that D calls real, 0 to 1",
    "verdict_fake": "share of the fakes that D calls real, 0 to 1",
    "verdict_held_out": "share of the held-out reals that D calls real, 0 to 1",
    "logit_gap": "mean logit of the reals minus that of the fakes",
    "strain": "loss of D, divided by that of a discriminator that guesses",
    "gradient": "norm of the gradient of a turn, whose name follows: gradient_generator",
    "skill": "smoothed share of reals and fakes that D classifies correctly, 0 to 1",
    "memory": "smoothed verdict on training reals minus that on held-out reals",
    "lead": "how far the balance holds D back, 0 to 2",
    "augment": "probability of each augmentation of what D sees, 0 to 1",
    "variety": "standard deviation of the fakes over the batch, divided by that of the reals",
    "accuracy": "share of the batch that a classifier names correctly, 0 to 1",
    "ELBO": "bound on the log-likelihood, in nats a sample",
    "nats_per_symbol": "negative log-likelihood, in nats a symbol",
}


def is_note(column: str) -> bool:
    """Whether a column of the log is a note (of one discriminator or turn, if its name follows), and so not a loss."""
    return any(column == name or column.startswith(f"{name}_") for name in NOTES)


def name_column(note: str, discriminator: str) -> str:
    """The column of a note of one discriminator, whose name is "" if the game has only one."""
    return f"{note}_{discriminator}" if discriminator else note


def list_discriminators(columns: Iterable[str]) -> list[str]:
    """The names of the discriminators in the columns of a row of the log; [""] if the game has only one."""
    columns = list(columns)
    found = [
        column.removeprefix(note).removeprefix("_")
        for note in ("verdict_real", "skill", "lead")
        for column in columns
        if column == note or column.startswith(f"{note}_")
    ]
    return list(dict.fromkeys(found))


def read_together(*groups: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Groups of named tensors -> the same with every scalar as float32 on the CPU; all of them in one transfer.

    Other tensors do not change. `float(value)` of a scalar then does not wait for the device.
    """
    scalars = [(i, name, value) for i, group in enumerate(groups) for name, value in group.items() if value.numel() == 1]
    found: list[dict[str, Tensor]] = [dict(group) for group in groups]
    if not scalars:
        return found
    device = scalars[0][2].device
    # Scalars that are on the CPU go to the device first, which does not wait; only the transfer back does.
    together = torch.stack([value.detach().reshape(()).to(device, torch.float32) for _, _, value in scalars])
    for (i, name, _), value in zip(scalars, together.cpu().unbind(), strict=True):
        found[i][name] = value
    return found
