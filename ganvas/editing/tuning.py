"""Pivotal tuning (PTI): a copy of the generator is trained a little, until the codes found for pictures give these pictures.

No code gives a picture that the model never learned to make. So the codes stay, as pivots, and the weights move:

    L = E |G(w) - x|^2  +  locality * E |G(v) - G_0(v)|^2,

w the codes of the pictures x, and v other codes, which should keep their pictures: samples of the model, moved towards a pivot.
So directions, mixing and films still work, on the copy.
Source: Roich et al. 2021, arXiv:2106.05744 eq. 3-6. Differs: squared distances of pixels alone, not of LPIPS; v lies anywhere
between a sample and a pivot, not at a fixed distance from the pivot; z too, where there is no w.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from ganvas.core.game import Game
from ganvas.editing.code_search import limits_of
from ganvas.editing.inversion import Inversion
from ganvas.inference.latent_space import Space, require_styles
from ganvas.inference.loaded_game import LoadedGame
from ganvas.latents.seed_latents import latents
from ganvas.layers.mapping import repeat_per_layer
from ganvas.runtime import placement
from ganvas.utils.interpolation import lerp
from ganvas.utils.parsing import require_count

STEPS, MOST_STEPS = 200, 5_000
RATE, LEAST = 2e-3, 0.05  # of Adam: a share of the root mean square of the weights, which counts as `LEAST` if it is smaller
LOCALITY = 0.3  # weight of the other codes
OTHERS, PART = 4, 16  # other codes, and pictures, in a step
EVERY = 10  # steps between two looks

Watch = Callable[[Tensor], object]  # gets the pictures [N, C, H, W] of the codes at each look; what returns False ends it


def tune(
    model: LoadedGame, found: Inversion, targets: Tensor, steps: int = STEPS, *, seed: int = 0, watch: Watch | None = None
) -> tuple[Game, Inversion]:
    """A copy of the game whose codes `found` give `targets` [N, C, H, W] in [-1, 1]; the same codes with their new pictures.

    The model stays as it is. The weights of the best look are kept, so it never gets worse than without. Ctrl-C ends it too.

    Raises:
        UsageError: a wrong count.
    """
    require_count("tuning steps", steps, 1, MOST_STEPS)
    tuner = _Tuner(model, found, targets, seed)
    try:
        for step in range(1, steps + 1):
            tuner.step()
            if step % EVERY and step != steps:
                continue
            tuner.look()
            if watch and watch(tuner.pictures) is False:
                break
    except KeyboardInterrupt:
        tuner.stopped = True
    return tuner.game, tuner.result()


class _Tuner:
    """The copy, its optimizer, and the best weights so far."""

    def __init__(self, model: LoadedGame, found: Inversion, targets: Tensor, seed: int) -> None:
        self.model, self.found, self.stopped = model, found, False
        self.game: Game = copy.deepcopy(model.game)
        networks = [network for name, network in self.game.named_children() if name not in self.game.kept_apart]
        weights = [weight for network in networks for weight in network.parameters()]
        for weight in weights:
            weight.requires_grad_(True)
        groups = [
            {"params": [weight], "lr": RATE * max(LEAST, float(weight.detach().square().mean().sqrt()))} for weight in weights
        ]
        self.optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
        self.space = Space(self.game, flat=found.space != "z")  # type: ignore[arg-type]
        self.device = placement.device_of(self.game)
        self.random = torch.Generator().manual_seed(seed)
        self.targets, self.codes, self.c = targets, found.codes, found.classes
        self.pictures, self.errors = found.pictures, found.errors
        self.best = _copy_weights(self.game)

    def step(self) -> None:
        """One step of Adam."""
        rows = torch.randperm(len(self.codes), generator=self.random)[:PART]
        c = None if self.c is None else self.c[rows]
        targets = self.targets[rows].to(self.device)
        loss = (self.draw(self.game, self.codes[rows], c).clamp(*limits_of(targets)) - targets).square().mean()
        others, c = self.sample_others()
        with torch.no_grad():
            before = self.draw(self.model.game, others, c)
        loss = loss + LOCALITY * (self.draw(self.game, others, c) - before).square().mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def sample_others(self) -> tuple[Tensor, Tensor | None]:
        """Codes and classes of samples, moved towards pivots."""
        rows = torch.randint(len(self.codes), (OTHERS,), generator=self.random)
        seeds = torch.randint(2**31, (OTHERS,), generator=self.random).tolist()
        z, c = latents(seeds, self.model.drawer.latent_dim), None if self.c is None else self.c[rows]
        pivots, share = self.codes[rows], torch.rand(OTHERS, generator=self.random)
        if self.found.space != "z":
            z = Space(self.model.drawer, flat=True).codes(z, c)
        if pivots.ndim == 3:
            z, share = repeat_per_layer(z, pivots.shape[1]), share[:, None]
        return lerp(z, pivots, share), c

    def draw(self, game: Game, codes: Tensor, c: Tensor | None) -> Tensor:
        """codes [n, ...] -> pictures [n, C, H, W] on the device, with their gradient."""
        codes, c = codes.to(self.device), None if c is None else c.to(self.device)
        if self.found.space == "z":
            return game.sample(codes, c)  # type: ignore[operator, no-any-return]
        return require_styles(game).synthesize(codes)  # type: ignore[arg-type]

    def look(self) -> None:
        """Keep the weights if they are the best so far."""
        pictures = self.space.pictures(self.codes, self.c).clamp(-1, 1)
        errors = 127.5 * (pictures - self.targets).square().flatten(1).mean(1).sqrt()
        if errors.square().mean() < self.errors.square().mean():  # not where it is NaN
            self.pictures, self.errors, self.best = pictures, errors, _copy_weights(self.game)

    def result(self) -> Inversion:
        """The codes with the pictures of the best weights, which the game has now."""
        self.game.load_state_dict(self.best)
        for weight in self.game.parameters():
            weight.requires_grad_(False)
        stopped = self.found.stopped or self.stopped
        return replace(self.found, pictures=self.pictures, errors=self.errors, stopped=stopped)


def _copy_weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
