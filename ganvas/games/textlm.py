"""TextLM: an autoregressive LSTM language model, trained by maximum likelihood: a game with one player, no discriminator.

log p(x) = sum_t log p(x_t | x_1 .. x_t-1): each symbol is predicted from those before it. Samples at a temperature below 1
are more typical and less varied. A text GAN must be compared with such a model over a range of temperatures
(arXiv:1811.02549).

Source: Hochreiter & Schmidhuber 1997; Graves 2013, arXiv:1308.0850. Differs: one layer, dropout on the outputs of the LSTM.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace

from ganvas.config import Adam
from ganvas.core.game import Game, Turn
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.language import LSTMTextGame, TextConfig, make_lstm
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config(TextConfig):
    """An LSTM of `width` units over lines of letters."""

    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, "config.dropout", 0, below=1)


class TextLM(LSTMTextGame, Game):
    """One player: the LSTM."""

    config_type = Config
    needs = ("text",)
    players = {"G": ("G",)}  # noqa: RUF012
    averaged = ("G",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G = make_lstm(config)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("guess", "G", self.likelihood),)


_recipe = Family("textlm", "Graves 2013, arXiv:1308.0850")
_TRAIN = cosine(
    0.05, 60_000, 64, 3e-3, adam=Adam(beta1=0.9), average_halflife=10_000, checkpoint_every=20_000, precision="float32"
)
_WORDS = Config(length=9, vocabulary=27, alphabet=string.ascii_lowercase, dropout=0.2)
# The networks of arXiv:1609.05473 sec. 4.1: an embedding and an LSTM of 32, a start symbol, 5,000 symbols, 20 in a line.
_ORACLE = Config(length=20, vocabulary=5000, alphabet="", embedding=32, width=32)

_LONG = replace(_TRAIN, images=320_000, learning_rate=1e-2, checkpoint_every=64_000)
_ABOUT = "sequences of a random network, by likelihood: the synthetic-oracle experiment"

RECIPES = (
    _recipe("textlm-names", "names", 1, "given names by likelihood, letter by letter", Config(dropout=0.2), _TRAIN),
    _recipe("textlm-words", "words", 1, "words that look English, by likelihood, letter by letter", _WORDS, _TRAIN),
    _recipe("textlm-oracle", "oracle", 7, _ABOUT, _ORACLE, _LONG),
)
