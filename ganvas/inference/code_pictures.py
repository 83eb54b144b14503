"""The pictures of codes, such as those that `ganvas invert` found: what a model draws at given places of its latent space."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from ganvas.core.capabilities import Styled, require_pictures
from ganvas.errors import UsageError
from ganvas.inference.batches import as_pictures, make_sampler, sample_chunks
from ganvas.inference.codes import Codes
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.latents.truncation import truncate


def draw_codes(model: LoadedGame, codes: Codes, *, label: Label = None, psi: float = 1.0) -> tuple[Tensor, Tensor | None]:
    """The pictures [N, C, H, W] of codes, and their classes [N] if the model has any.

    `label`: other classes than those of the codes, in turn; styles w contain theirs. `psi` moves styles nearer to their mean
    below 1.

    Raises:
        UsageError: no such class, one for styles, a psi out of range or for a model without styles, or no pictures.
    """
    require_pictures(model.game)
    if codes.space != "z" and label is not None:
        raise UsageError(f"label: these codes are styles {codes.space}, which contain the class; leave --label out")
    c = model.classes_of(codes, label)
    draw = make_sampler(model.drawer, psi)
    if codes.space != "z":
        if not isinstance(model.drawer, Styled):
            raise UsageError(f"these codes are styles {codes.space}, and {model.name} has none; invert with this model")
        draw = partial(_synthesize, model.drawer, psi)
    pictures = as_pictures(sample_chunks(model.drawer, codes.codes, c if codes.space == "z" else None, draw=draw))
    return pictures, c


def _synthesize(game: Styled, psi: float, w: Tensor, _: Tensor | None) -> Tensor:
    return game.synthesize(truncate(w, game.w_mean, psi))
