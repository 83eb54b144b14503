"""Latent spaces: z, the noise, which lies near a sphere; w, the output of a StyleGAN's mapping network, which is flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.capabilities import Samples, Styled, Writes, require_pictures
from ganvas.core.modality import POINTS, modality_of
from ganvas.errors import UsageError, unknown_name
from ganvas.inference.batches import as_pictures, sample_chunks
from ganvas.inference.codes import Codes
from ganvas.latents.paths import class_path, closed_path
from ganvas.latents.seed_latents import latents, truncated_latents

SPACES = ("z", "w")


@dataclass(frozen=True)
class Space:
    """Codes of `game` by seed, and images by code. `flat`: the space is w. The noise of the layers is constant in a film.

    `together`: of a game that `Couples` classes, those that are generated side by side from one z; else ().
    """

    game: Samples
    flat: bool = False
    together: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """z or w."""
        return "w" if self.flat else "z"

    def codes(self, z: Tensor, c: Tensor | None) -> Tensor:
        """z [N, latent_dim], c [N] class, [N, classes] shares or None -> codes [N, d] in this space."""
        return sample_chunks(self.game, z, c, draw=require_styles(self.game).map) if self.flat else z

    def of_seeds(self, seeds: Sequence[int] | Codes, c: Tensor | None) -> Tensor:
        """The codes [N, d] of seeds. Given codes stay, also [N, styles, d]; those of z are moved into w where the space is w.

        Raises:
            UsageError: given codes are styles w, and the space is z.
        """
        if not isinstance(seeds, Codes):
            return self.codes(latents(seeds, self.game.latent_dim), c)
        if seeds.space != "z" and not self.flat:
            raise UsageError(f"these codes are styles {seeds.space}, which have no z; use --in w")
        return self.codes(seeds.codes, c) if self.flat and seeds.space == "z" else seeds.codes

    def pictures(self, codes: Tensor, c: Tensor | None) -> Tensor:
        """codes [N, d], of w also [N, styles, d] -> pictures [N, C, H, W]; in w the code contains the class.

        Raises:
            UsageError: the game generates points or text.
        """
        require_pictures(self.game)
        if self.flat:
            game = require_styles(self.game)
            samples = sample_chunks(self.game, codes, None, draw=lambda w, _: game.synthesize(w))
        elif self.together:
            every = [torch.full((len(codes),), world) for world in self.together]
            samples = torch.cat([as_pictures(sample_chunks(self.game, codes, world)) for world in every], -1)
        else:
            samples = sample_chunks(self.game, codes, c)
        if modality_of(samples) is POINTS:
            raise UsageError("this model generates points, and this needs images; sample it to a .png instead")
        return as_pictures(samples)

    def walk(self, seeds: Sequence[int] | Codes, classes: Sequence[int], n_classes: int, frames: int, straight: bool) -> Tensor:
        """Images [frames, C, H, W] of a closed interpolation through the codes of `seeds` and through `classes`.

        It is linear in w, between the codes of each class; in z it is spherical, or linear if `straight`.
        """
        shares = class_path(classes, frames, n_classes) if classes and not self.together else None
        if not self.flat:
            return self.pictures(closed_path(self.of_seeds(seeds, None), frames, straight), shares)
        if shares is None:
            return self.pictures(closed_path(self.of_seeds(seeds, None), frames, straight=True), None)
        total = torch.zeros(())
        for name in sorted(set(classes)):
            path = closed_path(self.of_seeds(seeds, torch.full((len(seeds),), name)), frames, straight=True)
            total = total + shares[:, name].view(-1, *[1] * (path.ndim - 1)) * path
        return self.pictures(total, None)


def require_styles(game: Samples) -> Styled:
    """The game, if it has styles w. Raises: UsageError: it has none."""
    if not isinstance(game, Styled):
        raise UsageError("this model has no styles w; choose a model of a stylegan game")
    return game


def space(game: Samples, name: str | None = None, together: Sequence[int] = ()) -> Space:
    """The space `name`, z or w; None: w if the game has it. `together` as in `Space`.

    Raises:
        UsageError: no such space, or the game has no w.
    """
    if name is not None and name not in SPACES:
        raise unknown_name("space", name, SPACES)
    if name == "w" and not isinstance(game, Styled):
        raise UsageError("this model has no styles w; choose a model of a stylegan game, or stay in z")
    flat = name == "w" or (name is None and isinstance(game, Styled))
    return Space(game, flat, tuple(together))


def noise(game: Samples, seeds: Sequence[int], truncate: float | None = None) -> Tensor:
    """The latents z [N, latent_dim] of `seeds`; with `truncate`, numbers beyond +-truncate are sampled again.

    Those that choose a group are never: it would take whole groups away, not variety within them.

    Raises:
        UsageError: truncation of a game that uses only the direction of z; or a limit that is not above 0.
    """
    if truncate is None:
        return latents(seeds, game.latent_dim)
    if isinstance(game, Writes):
        raise UsageError("a model of text chooses letters by its noise; use --temperature below 1, not --truncate")
    if isinstance(game, Styled):
        raise UsageError("a stylegan model uses the direction of z only; truncate its styles with --psi, not --truncate")
    return truncated_latents(seeds, game.latent_dim, truncate, game.choosing)
