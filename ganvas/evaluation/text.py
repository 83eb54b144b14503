"""Evaluation of text: generated lines against real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.capabilities import Writes
from ganvas.core.game import Game
from ganvas.core.modality import TEXT
from ganvas.data.builtin.oracle import oracle_nll
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.evaluation.sample_sets import Reference, read_rows
from ganvas.evaluation.validation import nats_of
from ganvas.inference.model import Model
from ganvas.metrics.confidence import jackknife, wilson
from ganvas.metrics.ngrams import distinct_share, jensen_shannon, nearest_edit_distance, ngrams, novel_share
from ganvas.utils.tokens import decode_lines

EDIT_LINES = 500  # lines whose nearest training line is searched
GRAMS = {"unigrams": 1, "bigrams": 2, "trigrams": 3, "fourgrams": 4}  # symbols in a run
METRICS = ("distinct", "novel", *GRAMS, "edit", "nats", "oracle")


@dataclass(eq=False)
class TextPage:
    """Lines of one set: int64 [N, L], and their alphabet."""

    text: Tensor
    alphabet: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines as strings."""
        return decode_lines(self.text, self.alphabet)

    def part(self, rows: Tensor) -> TextPage:
        """Some of the lines."""
        return TextPage(self.text[rows], self.alphabet)


@dataclass(frozen=True)
class TextSets:
    """The compared sets: lines of a model, the reference, other reals for the floor, and the training lines."""

    fake: TextPage
    real: TextPage
    other: TextPage
    train: TextPage


Value = tuple[float, float | None, float | None]  # value, 95 % interval, floor


def measure(
    model: Model,
    source: str,
    *,
    chosen: Sequence[str] | None = None,
    samples: int = 10_000,
    seed: int = 0,
    split: str | None = None,
    temperature: float = 1.0,
) -> tuple[dict[str, tuple[float, float | None, float | None, int]], str]:
    """Value, interval, floor and count of each measure of a model's lines, and the reference in words.

    Raises:
        UsageError: a measure that is not one of text, or does not fit.
        DataError: the source holds no text of the model's symbols.
    """
    for name in chosen or ():
        if name not in METRICS:
            raise unknown_name("metric of text", name, METRICS)
    train, real, other, words = _reals(source, samples, split)
    if (train.alphabet, train.vocabulary) != (model.game.config.alphabet, model.game.config.vocabulary):
        raise DataError(f"{source}: its symbols are not those of the model; measure against the data that it was trained on")
    text = torch.cat([part for part, _ in model.stream(len(real.text), seed, temperature=temperature)])
    sides = TextSets(TextPage(text, train.alphabet), real, other, TextPage(train.table, train.alphabet))
    found: dict[str, tuple[float, float | None, float | None, int]] = {}
    for name in chosen or METRICS:
        try:
            value, count = _one(name, sides, model.game, source)
        except UsageError:
            if chosen:
                raise
            continue
        found[name] = (*value, count)
    return found, words


def _reals(source: str, samples: int, split: str | None) -> tuple[TableDataset, TextPage, TextPage, str]:
    """All training lines, the reference, as many other reals, and the reference in words."""

    def open_split(part: str) -> TableDataset:
        found = open_source(DataConfig(source=source, split=part))  # type: ignore[arg-type]
        if found.modality is not TEXT:
            raise DataError(f"{source} holds no text; measure a model of text against text")
        return found

    found = Reference.choose(source, open_split, samples, split, "lines")
    real = TextPage(read_rows(found.source, found.rows), found.source.alphabet)
    other = TextPage(read_rows(found.train, found.other[: len(found.rows)]), found.train.alphabet)
    return found.train, real, other, found.words


def _one(name: str, sides: TextSets, game: Game, source: str) -> tuple[Value, int]:
    """One measure, and of how many lines."""
    n = len(sides.fake.text)
    if name in _LETTERS and not sides.fake.alphabet:
        raise UsageError(f"{name} compares words of letters, and {source} has numbers; choose among distinct, nats and oracle")
    if name == "edit":
        return _edit(sides), min(EDIT_LINES, n)
    if name == "nats":
        return _nats(sides, game), n
    if name == "oracle":
        return _oracle(sides, source), n
    return _SHARES[name](sides) if name in _SHARES else _divergence(sides, GRAMS[name]), n


def _distinct(sides: TextSets) -> Value:
    value = distinct_share(sides.fake.lines)
    return value, wilson(value, len(sides.fake.lines)), distinct_share(sides.real.lines)


def _novel(sides: TextSets) -> Value:
    """The floor is about 1 if the reference was not trained on."""
    known = set(sides.train.lines)
    value = novel_share(sides.fake.lines, known)
    return value, wilson(value, len(sides.fake.lines)), novel_share(sides.real.lines, known)


def _divergence(sides: TextSets, n: int) -> Value:
    def between(a: Tensor, b: Tensor) -> float:
        one, other = sides.fake.part(a), sides.real.part(b)
        return jensen_shannon(ngrams(one.lines, n), ngrams(other.lines, n))

    rows = torch.arange(len(sides.fake.text))
    floor = jensen_shannon(ngrams(sides.other.lines, n), ngrams(sides.real.lines, n))
    return between(rows, rows), jackknife(between, rows, rows.clone()), floor


def _edit(sides: TextSets) -> Value:
    """Mean edits to the nearest training line; the floor is that of held-out reals."""
    values = nearest_edit_distance(sides.fake.text[:EDIT_LINES], sides.train.text).double()
    floor = nearest_edit_distance(sides.real.text[:EDIT_LINES], sides.train.text).double()
    return float(values.mean()), _error(values), float(floor.mean())


def _nats(sides: TextSets, game: Game) -> Value:
    """Nats a symbol of the reference under the model: lines that it was not trained on."""
    if not isinstance(game, Writes):
        raise UsageError("nats: only a model of text gives the likelihood of a line; choose another measure")
    nats = torch.cat([nats_of(game, part) for part in sides.real.text.split(500)])
    a_line, symbols = nats.sum(1), float((nats > 0).sum())
    return float(nats.sum()) / symbols, _error(a_line) * len(nats) / symbols, None


def _oracle(sides: TextSets, source: str) -> Value:
    """Nats a symbol of the samples under the oracle; the floor is that of its own lines."""
    if source != "oracle":
        raise UsageError("oracle: only lines of the source 'oracle' come from a known law")
    values = oracle_nll(sides.fake.text)
    return float(values.mean()), _error(values), float(oracle_nll(sides.real.text).mean())


def _error(values: Tensor) -> float:
    return float(1.96 * values.std() / len(values) ** 0.5)


_SHARES: Mapping[str, Callable[[TextSets], Value]] = {"distinct": _distinct, "novel": _novel}
_LETTERS = ("novel", "edit", *GRAMS)
