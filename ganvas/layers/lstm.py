"""LSTM generator of text: samples a line symbol by symbol, and computes the log-likelihood of any line.

Source: Hochreiter & Schmidhuber 1997; straight-through Gumbel-softmax: arXiv:1611.01144, arXiv:1611.04051 sec. 2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.utils.tokens import count_symbols

State = tuple[Tensor, Tensor] | None


class LSTMGenerator(nn.Module):
    """An LSTM over `vocabulary` symbols; with `ends`, symbol 0 ends a line."""

    def __init__(self, vocabulary: int, embedding: int, width: int, ends: bool) -> None:
        super().__init__()
        self.vocabulary, self.ends = vocabulary, ends
        self.embed = nn.Embedding(vocabulary + 1, embedding)  # the last row begins a line
        self.lstm = nn.LSTM(embedding, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def nll(self, text: Tensor, kept: Tensor | None = None) -> Tensor:
        """int64 [N, L] -> negative log-likelihood of each symbol given those before it [N, L], in nats; 0 after the end.

        `kept` [N, L, width] multiplies the outputs of the LSTM: a dropout mask.
        """
        first = torch.full_like(text[:, :1], self.vocabulary)
        hidden, _ = self.lstm(self.embed(torch.cat([first, text[:, :-1]], 1)))
        logits = self.head(hidden if kept is None else hidden * kept).float()
        nats = F.cross_entropy(logits.flatten(0, 1), text.flatten(), reduction="none").view(text.shape)
        return nats * count_symbols(text, self.ends)

    def write(self, z: Tensor, temperature: float = 1.0) -> Tensor:
        """z [N, L] standard normal -> int64 [N, L]: each symbol by inverse transform sampling with Phi(z).

        At temperature 1 lines follow the distribution of the network; below 1, likely symbols are more frequent.
        """
        # onnxruntime has this function in float32 only; it then differs by 6e-8, which almost never changes a symbol.
        share = torch.special.ndtr(z.float() if torch.compiler.is_exporting() else z.double()).double()
        symbol = torch.full((len(z),), self.vocabulary, device=z.device)
        alive, state, text = torch.ones_like(symbol), None, []
        for place in share.unbind(1):
            logits, state = self.predict_next(self.embed(symbol), state)
            reached = (logits.double() / temperature).softmax(1).cumsum(1)
            symbol = (reached < place[:, None]).sum(1).clamp(max=self.vocabulary - 1) * alive
            alive = alive * (symbol != 0) if self.ends else alive
            text.append(symbol)
        return torch.stack(text, 1)

    def sample_gumbel(self, noise: Tensor, softness: float) -> Tensor:
        """Gumbel noise [N, L, V] -> one-hots [N, L, V], sampled from the network, with a straight-through gradient.

        Forward, a symbol is the argmax of logits plus noise; backward, it is their softmax with temperature `softness`. After
        the end all symbols are 0, without a gradient. Source: arXiv:1611.01144 sec. 2.2.
        """
        start = torch.full((len(noise),), self.vocabulary, device=noise.device)
        symbol, state, text = self.embed(start), None, []
        alive, end = torch.ones(len(noise), 1, device=noise.device), F.one_hot(start * 0, self.vocabulary).float()
        for place in noise.unbind(1):
            logits, state = self.predict_next(symbol, state)
            soft = ((logits.float() + place) / softness).softmax(1)
            hard = F.one_hot(soft.argmax(1), self.vocabulary).float()
            drawn = hard + soft - soft.detach()
            if self.ends:
                drawn = alive * drawn + (1 - alive) * end
                alive = alive * (1 - drawn.detach()[:, :1].round())
            symbol = drawn @ self.embed.weight[:-1]
            text.append(drawn)
        return torch.stack(text, 1)

    def predict_next(self, symbol: Tensor, state: State) -> tuple[Tensor, State]:
        """An embedded symbol [N, d] -> logits of the next symbol [N, V], and the state of the LSTM."""
        hidden, state = self.lstm(symbol[:, None], state)
        logits: Tensor = self.head(hidden[:, 0])
        return logits, state
