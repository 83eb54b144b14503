"""The synthetic oracle of SeqGAN: an LSTM with standard normal weights, so that the likelihood of every line is known.

It generates the training lines, and lines of a model are scored by the negative log-likelihood under the oracle.
Source: arXiv:1609.05473 sec. 4.1 (5,000 symbols, embedding and state of 32, 20 symbols in a line, 10,000 lines).
Differs: its weights come from another seed than the published ones, so its own score is a little different; compare the gap
of a score to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor

from ganvas.data import cache
from ganvas.data.table import TableDataset
from ganvas.errors import DataError
from ganvas.utils.seeds import mix

SYMBOLS, SIZE, LENGTH = 5_000, 32, 20
VERSION = 1  # increase it when the oracle or its sampling changes
COUNTS = {"train": 10_000, "test": 10_000}


@dataclass(frozen=True, eq=False)
class Oracle:
    """Weights: embed [V, d]; into [4d, 2d] and bias [4d] of the gates i, f, o, g; out [V, d] and its bias, each [V]."""

    embed: Tensor
    into: Tensor
    bias: Tensor
    out: Tensor
    each: Tensor

    def nll(self, text: Tensor) -> Tensor:
        """int64 [N, L] -> negative log-likelihood of each symbol given those before it [N, L], in nats."""
        parts, last, state = [], torch.zeros(len(text), dtype=torch.int64), None
        for symbol in text.unbind(1):
            logits, state = self._next(last, state)
            parts.append(torch.logsumexp(logits, 1) - logits.gather(1, symbol[:, None]).squeeze(1))
            last = symbol
        return torch.stack(parts, 1)

    def write(self, n: int, length: int, generator: torch.Generator) -> Tensor:
        """n lines int64 [n, length], sampled symbol by symbol."""
        last, state, text = torch.zeros(n, dtype=torch.int64), None, []
        for _ in range(length):
            logits, state = self._next(last, state)
            reached = logits.softmax(1).cumsum(1)
            place = torch.searchsorted(reached, torch.rand(n, 1, generator=generator) * reached[:, -1:])
            last = place.squeeze(1).clamp(max=logits.shape[1] - 1)
            text.append(last)
        return torch.stack(text, 1)

    def _next(self, symbol: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        x = self.embed[symbol]
        hidden, cell = state or (torch.zeros_like(x), torch.zeros_like(x))
        i, f, o, g = (torch.cat([x, hidden], 1) @ self.into.T + self.bias).chunk(4, 1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        return hidden @ self.out.T + self.each, (hidden, cell)


def make_oracle(seed: int = 0, symbols: int = SYMBOLS, size: int = SIZE) -> Oracle:
    """The oracle of a seed."""
    random = torch.Generator().manual_seed(mix("oracle", seed))
    shapes = ((symbols, size), (4 * size, 2 * size), (4 * size,), (symbols, size), (symbols,))
    return Oracle(*(torch.randn(*shape, generator=random) for shape in shapes))


def oracle_source(split: str) -> TableDataset:
    """10,000 lines of 20 symbols of the oracle of seed 0, different ones for each split; always the same, cached."""
    name = cache.entry_name("oracle", VERSION, split)

    def build(file: BinaryIO) -> cache.Record:
        random, wise = torch.Generator().manual_seed(mix("oracle lines", split)), make_oracle()
        for _ in range(COUNTS[split] // 1_000):
            file.write(wise.write(1_000, LENGTH, random).to(torch.int16).numpy().tobytes())
        return cache.Record((COUNTS[split], LENGTH, 2), None, (), ())

    pairs, record = cache.read(name) or cache.store(name, build)
    text = pairs.view(torch.int16).squeeze(2).long()
    return TableDataset("oracle", {"text": text}, fingerprint=record.fingerprint, vocabulary=SYMBOLS, splits=tuple(COUNTS))


def oracle_nll(text: Tensor) -> Tensor:
    """int64 [N, 20] -> negative log-likelihood of each line [N] under the oracle of `oracle_source`, nats per symbol, float64.

    Raises:
        DataError: the lines have another length or other symbols.
    """
    if text.ndim != 2 or text.shape[1] != LENGTH or int(text.max()) >= SYMBOLS:
        raise DataError(f"the oracle reads lines of {LENGTH} numbers below {SYMBOLS:,}, found {list(text.shape)}")
    judge = make_oracle()
    return torch.cat([judge.nll(part).double().mean(1) for part in text.split(500)])
