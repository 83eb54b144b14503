"""Stands for a network that was not loaded: most verbs need no discriminator, and it is in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from torch import nn

from ganvas.errors import UsageError


class Absent(nn.Module):
    """A network without weights. It knows the bundle beside which its own are, and the hash of that bundle."""

    def __init__(self, bundle: Path, digest: str) -> None:
        super().__init__()
        self.bundle, self.digest = bundle, digest

    def forward(self, *_: object) -> NoReturn:
        """Raises: UsageError: always."""
        raise UsageError("this model was loaded without its discriminator; use ganvas.load(PATH, discriminator=True)")
