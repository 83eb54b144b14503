"""The search of an inversion by gradients: in the styles of a StyleGAN, and for pictures of more than 32 pixels.

The Jacobian of `code_search.py` needs a picture for each number of the code; in w+, where each layer has a w of its own, these
are hundreds. A gradient costs about as much as three pictures, however long the code is. So this search goes down from some
samples, most of which are soon given up, by the method of Broyden, Fletcher, Goldfarb and Shanno with limited memory (L-BFGS).
If the picture is one of the model's own, the method of `code_search.py` then finds its code exactly. In w+ a w for all layers
is found first. A generator that `Drafts` its pictures chooses a start by the drafts, which cost a part of a picture.
Source: arXiv:1609.03552 sec. 3.1 (L-BFGS for inversion); doi:10.1007/BF01589116 (L-BFGS); arXiv:1904.03189 (w+).
Differs: L-BFGS in w+, too, where Adam is farther from the picture after as many gradients; the distance is that of pixels.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from ganvas.core.capabilities import Drafts
from ganvas.editing.code_search import NEAR, SMALL, STALLED, Search, has_stalled, is_exact
from ganvas.editing.search_ends import Ends, Shows, Watch, better_of, join
from ganvas.inference.latent_space import require_styles
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.runtime import placement

EVERY = 5  # iterations that count as a step
ROUNDS, LEFT = (2, 2, 3, 5), 0.6  # steps after which some of the starts are given up, and the share that is left
ATTEMPTS = 2  # of small pictures: a few samples are not found from the nearest starts
MEMORY = 20  # gradients that L-BFGS remembers
SLOW = 0.3  # the share by which the error must fall in `PATIENCE` steps of the method of `code_search.py`, which are expensive
DRAFTED = 0.01  # the same share for whole pictures after their drafts: hardly worse, and a second of four is saved
SHOWN_EACH = 3  # of so many steps among drafts one is shown
LEVELS = 127.5  # of 255, for a difference of 1


class GradientSearch(Search):
    """A search in z, in w, or in w+, where codes are rows of styles * d numbers, or of d for all layers."""

    def __init__(self, model: LoadedGame, label: Label, where: str | None, *given: Any) -> None:
        super().__init__(model, label, "w" if where == "w+" else where, *given)
        self.attempts = ATTEMPTS if model.shape[-1] <= SMALL else 1
        if where == "w+":
            self.name, d = where, model.drawer.latent_dim
            game = require_styles(model.drawer)
            self.styles = game.styles
            self.generate = lambda w, _: game.synthesize(w if w.shape[1] == d else w.unflatten(1, (-1, d)))
        self.drafts = DraftSearch(self, model.drawer) if isinstance(model.drawer, Drafts) else None

    def find(self, target: Tensor, watch: Watch | None) -> tuple[Tensor, Tensor]:
        """The best code [d], in w+ [styles, d], of a target [C, H, W], and its class []."""
        wanted = self._aim(target)
        best = self._find_code(target, wanted, watch)
        if self.name != "w+":
            return best.codes[0], best.c[0]
        wide = Ends(best.codes.repeat(1, self.styles), best.c, best.pictures, best.errors)
        wide = self._follow(wide, wanted, watch)
        return wide.codes[0].unflatten(0, (self.styles, -1)), wide.c[0]

    def _find_code(self, target: Tensor, wanted: Tensor, watch: Watch | None) -> Ends:
        """The best end in z or w, [1, d]."""
        self.ended = False
        if self.drafts is not None:
            codes, c = self.drafts.choose(target, watch)
            seen = self._see(codes, c)
            begun = Ends(codes, c, seen, (seen - wanted).square().mean(1))
            return self._come_near(begun, wanted, watch, DRAFTED)
        samples = self._rank_starts(target, wanted)
        best = samples.best(1)
        for attempt in range(self.attempts):
            first = attempt * self.restarts
            starts = samples.slice(first, first + self.restarts)
            if self.ended or self.stopped or is_exact(float(best.errors[0])) or not len(starts.errors):
                break
            best = self._come_near(self._choose_start(best, starts, wanted, watch), wanted, watch)
        return best

    def _come_near(self, best: Ends, wanted: Tensor, watch: Watch | None, stalled: float = STALLED) -> Ends:
        """The end of a start that was chosen; a picture of the model itself is then found exactly."""
        if self.name != "w+":
            best = self._follow(best, wanted, watch, stalled)
        if not self.ended and not self.stopped and LEVELS * float(best.errors[0]) ** 0.5 < NEAR:
            exact, going = self._descend(best, wanted, self._show(watch, best), SLOW)
            best, self.ended = better_of(best, exact.best(1)), not going
        return best

    def _rank_starts(self, target: Tensor, wanted: Tensor) -> Ends:
        """All starts, the nearest to the target first."""
        codes, c, pictures = self._list_starts(target)
        return Ends(codes, c, pictures, (pictures - wanted).square().mean(1)).best(len(codes))

    def _choose_start(self, best: Ends, starts: Ends, wanted: Tensor, watch: Watch | None) -> Ends:
        """The best end of all that go down from the starts until they are given up, or `best` if it is better."""
        for steps in ROUNDS:
            reached = []
            for number in range(len(starts.errors)):
                start = starts.slice(number, number + 1)
                reached.append(self._go_down(start, wanted, min(steps, self.steps), self._show(watch, best)))
                best = better_of(best, reached[-1])
            starts = join(reached).best(math.ceil(LEFT * len(reached)))
        return best

    def _follow(self, ends: Ends, wanted: Tensor, watch: Watch | None, stalled: float = STALLED) -> Ends:
        """The end of a single start."""
        return self._go_down(ends, wanted, self.steps, self._show(watch, ends), stalled)

    def _go_down(self, start: Ends, wanted: Tensor, steps: int, show: Shows | None, stalled: float = STALLED) -> Ends:
        """The best of a single start and what follows from it in at most `steps` times `EVERY` iterations of L-BFGS."""
        best, history = start, [float(start.errors[0])]
        free, device = start.codes.clone().requires_grad_(), placement.device_of(self.model.game)
        c = start.c.to(device) if self.model.classes else None
        # It ends by the rule of all searches, below, not by its own, so its tolerances are 0.
        optimizer = torch.optim.LBFGS([free], 1, EVERY, None, 0.0, 0.0, MEMORY, "strong_wolfe")

        def measure() -> Tensor:
            nonlocal best
            code = self.hold_within(free)
            seen = self._compare(self.generate(code.to(device), c).float().cpu().flatten(1), code)
            errors = (seen - wanted).square().mean(1)
            if errors < best.errors:
                best = Ends(code.detach().clone(), start.c, seen.detach(), errors.detach())
            loss = LEVELS**2 * errors.sum()
            (free.grad,) = torch.autograd.grad(loss, free)
            return loss.detach()

        try:
            for _ in range(0 if self.ended or self.stopped else steps):
                optimizer.step(measure)
                history.append(float(best.errors[0]))
                if show and show(best) is False:
                    self.ended = True
                    break
                if is_exact(history[-1]) or has_stalled(history, stalled):
                    break
        except KeyboardInterrupt:
            self.stopped = True
        return best


class DraftSearch(GradientSearch):
    """The choice of a start among the drafts of the pictures of a search. What it shows are whole pictures."""

    def __init__(self, whole: GradientSearch, game: Drafts) -> None:
        vars(self).update(vars(whole))  # its samples, its settings
        self.whole, self.game, self.generate, self.steps_made = whole, game, game.draft, itertools.count()
        if whole.weights is not None:
            self.weights = game.to_draft(whole.weights.square().view(1, *whole.model.shape)).sqrt().flatten()

    def choose(self, target: Tensor, watch: Watch | None) -> tuple[Tensor, Tensor]:
        """The code [1, d] of the best end of all starts, and its class [1], by the draft of a target [C, H, W]."""
        self.ended = False
        small = self._shrink(target)
        wanted = self._aim(small)
        samples = self._rank_starts(small, wanted)
        best = self._choose_start(samples.best(1), samples.best(self.restarts), wanted, watch)
        best = self._follow(best, wanted, watch)  # what the drafts can say is cheap to learn from them
        self.whole.ended, self.whole.stopped = self.ended, self.stopped
        return best.codes, best.c

    def _shrink(self, target: Tensor) -> Tensor:
        """target [C, H, W] -> [C, h, w]: of each group of pixels the mean of those that count."""
        if self.whole.weights is None:
            return self.game.to_draft(target[None])[0]
        weights = self.whole.weights.square().view(1, *target.shape)
        return (self.game.to_draft(weights * target) / self.game.to_draft(weights).clamp_min(1e-9))[0]

    def _show(self, watch: Watch | None, best: Ends) -> Shows | None:
        """Shows one step of `SHOWN_EACH`: a step costs less than the whole picture that is drawn to show it.

        So a page that ends a search after some number of steps, on a slow machine, comes to the whole pictures.
        """
        show = self.whole._show(watch, best)
        return None if show is None else lambda end: None if next(self.steps_made) % SHOWN_EACH else show(end)
