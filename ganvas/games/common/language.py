"""The base class of text games with an LSTM generator: sample lines, decode them, compute their likelihood."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor

from ganvas.core.capabilities import Writes
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Step, Terms
from ganvas.core.modality import TEXT
from ganvas.errors import UsageError
from ganvas.layers.dropout import dropout_mask
from ganvas.layers.lstm import LSTMGenerator
from ganvas.utils.settings import require_within
from ganvas.utils.tokens import decode_lines


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """Settings of text: lines of up to `length` symbols from `vocabulary`, and the LSTM. The data decides the first three."""

    takes: ClassVar = (TEXT,)
    length: int = 11
    vocabulary: int = 53
    alphabet: str = string.ascii_uppercase + string.ascii_lowercase  # symbol k is its k-th letter; "": numbers
    embedding: int = 32
    width: int = 128  # of the LSTM

    def __post_init__(self) -> None:
        require_within(self, "config.length config.embedding config.width", 1)
        require_within(self, "config.vocabulary", 2)
        if self.alphabet and len(self.alphabet) + 1 != self.vocabulary:
            raise UsageError(f"config.vocabulary: expected one more than the {len(self.alphabet)} symbols of config.alphabet")

    def adapt(self, facts: Facts) -> Self:
        """The settings for lines with this length and alphabet."""
        return replace(self, length=facts.shape[0], vocabulary=facts.vocabulary, alphabet=facts.alphabet)


class LSTMTextGame(Writes):
    """The part of a game that samples text from the LSTM `G`; `config` is a `TextConfig` with a field `dropout`."""

    G: LSTMGenerator
    config: Any

    @property
    def latent_dim(self) -> int:
        """One standard normal number for each symbol."""
        return int(self.config.length)

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, L] standard normal -> int64 [N, L]."""
        return self.write(z)

    def write(self, z: Tensor, temperature: float = 1.0) -> Tensor:
        """z [N, L] standard normal -> int64 [N, L]; below temperature 1, likely symbols are more frequent."""
        return self.G.write(z, temperature)

    def decode_text(self, text: Tensor) -> list[str]:
        """int64 [N, L] -> N lines."""
        return decode_lines(text, self.config.alphabet)

    def nll(self, text: Tensor) -> Tensor:
        """int64 [N, L] -> negative log-likelihood of each symbol given those before it [N, L], in nats; 0 after the end."""
        return self.G.nll(text)

    def likelihood(self, batch: Batch, step: Step) -> Terms:
        """The mean of -log p over all positions; notes the nats per symbol, the ends of lines included."""
        text = batch["text"]
        kept = dropout_mask(self.config.dropout, step.uniform, len(text), *text.shape[1:], self.config.width)
        nats = self.G.nll(text, kept)
        step.notes["nats_per_symbol"] = (nats.sum() / (nats > 0).sum().clamp(min=1)).detach()
        return {"likelihood": nats.mean()}


def make_lstm(config: TextConfig) -> LSTMGenerator:
    """The LSTM for a config."""
    return LSTMGenerator(config.vocabulary, config.embedding, config.width, bool(config.alphabet))
