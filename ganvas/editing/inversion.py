"""Inversion: the code whose picture is nearest to a given picture, found through the generator.

The codes are short and the pictures are long, so this is a least-squares problem for the method of Levenberg and Marquardt: a
step of it is worth hundreds of steps of gradient descent. Its Jacobian comes from pictures of codes that are nudged along each
axis, so the generator need not be differentiable. The error has many local minima, so a search starts several times, from the
nearest of some hundred samples; the worse half of the starts is given up again and again. z stays within the ball where the
noise of the training was.
Source: arXiv:1609.03552 sec. 3.1 (inversion by optimization); arXiv:1912.04958 sec. 5 (in w); doi:10.1137/0111030 (Marquardt).
Differs: the distance is that of pixels, not of features of a trained network; starts are samples, not the mean of w.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.core.capabilities import require_pictures
from ganvas.core.modality import IMAGES
from ganvas.errors import UsageError
from ganvas.inference.batches import Draw, sample_chunks
from ganvas.inference.encoding import as_samples
from ganvas.inference.latent_space import require_styles, space
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.utils.parsing import require_count

RESTARTS, STEPS = 16, 60
MOST_RESTARTS, MOST_STEPS = 256, 1_000
POOL, MOST_IN_POOL = 256, 1_024  # samples to start from; at least `EACH` of a class
EACH = 32
PART = 256  # pictures that are generated at a time
NUMBERS = 32_000_000  # of the Jacobians that are held at a time
HALVED = (8, 16, 30)  # steps after which the worse half of the starts is given up
NUDGE = 0.003  # of a code, in standard deviations; larger ones miss the kinks of ReLU, smaller ones the digits of float32
OUTSIDE = 2.2  # how far the length of z may exceed its usual one: the length of one noise in a thousand does
DAMPINGS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)  # of a step, all of which are tried: a picture is cheap beside them
EXACT = 0.35  # levels of 255: little more than what rounding to 8 bits makes, 0.29
NEAR, ATTEMPTS = 10.0, 8  # a smaller error says that the picture is of this model: then it is searched again,
SCATTER = 0.3  # around the best code, with this standard deviation, and from other samples, in turn
STALLED, PATIENCE = 0.002, 4  # the share by which the error must fall in so many steps

Watch = Callable[[Tensor], object]  # gets the best picture [C, H, W] after each step; what returns False ends the search


@dataclass(frozen=True)
class Inversion:
    """Codes [N, d] in `space`, z or w, their classes [N] if the game has any, and their pictures.

    `pictures` [N, C, H, W] are in [-1, 1]; `errors` [N] are root mean square differences to the targets, in levels of 255.
    """

    space: str
    codes: Tensor
    classes: Tensor | None
    pictures: Tensor
    errors: Tensor
    stopped: bool = False  # by Ctrl-C: there may be fewer codes than targets


def invert(
    model: LoadedGame,
    targets: Tensor | npt.ArrayLike,
    label: Label = None,
    *,
    where: str | None = None,
    restarts: int = RESTARTS,
    steps: int = STEPS,
    seed: int = 0,
    watch: Watch | None = None,
    known: Tensor | None = None,
) -> Inversion:
    """The codes of pictures, uint8 [N, H, W, C] or a tensor [N, C, H, W] in [-1, 1].

    Each is searched from `restarts` starts with at most `steps` steps. `where` is z or w; None: w if the model has it.
    `label`: the classes that are tried, by default all. The starts are among the samples of `seed` and the seeds after it.
    Where `watch` returns False, the best code so far is the result of this picture; Ctrl-C ends the whole search, with the
    best codes so far. `known` bool [H, W]: the pixels that count, in the search and in the errors; None: all.

    Raises:
        UsageError: the model does not make pictures of this shape from noise; no such space or class; a wrong count; or no
            pixel counts.
    """
    search = _Search(model, label, where, restarts, steps, seed, known)
    targets = targets if isinstance(targets, Tensor) else as_samples(targets, model.shape)
    if targets.shape[1:] != model.shape or not len(targets):
        expected = ", ".join(map(str, model.shape))
        raise UsageError(f"targets: expected shape [n, {expected}] with n at least 1, got {list(targets.shape)}")
    found: list[tuple[Tensor, Tensor]] = []
    for target in targets:
        if not search.stopped:
            found.append(search.find(target, watch))
    targets = targets[: len(found)]
    codes = torch.stack([code for code, _ in found])
    c = torch.stack([c for _, c in found]) if model.classes else None
    pictures = search.space.pictures(codes, c)
    errors = 127.5 * search.count(pictures - targets).square().mean(1).sqrt()
    return Inversion(search.space.name, codes, c, pictures, errors, search.stopped)


@dataclass
class _Ends:
    """The ends of a search so far: codes [m, d], classes [m], the pixels that count [m, P], mean squared errors [m]."""

    codes: Tensor
    c: Tensor
    pictures: Tensor
    errors: Tensor

    def best(self, count: int) -> _Ends:
        """The `count` best ones."""
        rows = self.errors.argsort(stable=True)[:count]
        return _Ends(self.codes[rows], self.c[rows], self.pictures[rows], self.errors[rows])

    def slice(self, first: int, last: int) -> _Ends:
        """Those from `first` to before `last`."""
        return _Ends(*(each[first:last] for each in (self.codes, self.c, self.pictures, self.errors)))


def better_of(one: _Ends, other: _Ends) -> _Ends:
    """The better one of two single ends; of equal ones the first."""
    return other if other.errors[0] < one.errors[0] else one


@dataclass(frozen=True)
class _Show:
    """Shows `watch` the best picture so far: that of this attempt, or of those before it."""

    watch: Watch
    best: _Ends
    draw: Callable[[_Ends], Tensor]  # a single end -> its picture [C, H, W]

    def __call__(self, end: _Ends) -> object:
        return self.watch(self.draw(better_of(self.best, end)))


class _Search:
    """The samples that a search starts from, and its steps."""

    def __init__(
        self,
        model: LoadedGame,
        label: Label,
        where: str | None,
        restarts: int,
        steps: int,
        seed: int,
        known: Tensor | None = None,
    ) -> None:
        require_count("restarts", restarts, 1, MOST_RESTARTS)
        require_count("steps", steps, 1, MOST_STEPS)
        require_pictures(model.game)
        if model.modality is not IMAGES:
            raise UsageError(f"{model.name} makes {model.modality.name}, and this needs images; choose another model")
        self.model, self.space, self.restarts, self.steps = model, space(model.drawer, where), restarts, steps
        self.generate: Draw = self.model.drawer.sample
        if self.space.flat:
            game = require_styles(self.model.drawer)
            self.generate = lambda w, _: game.synthesize(w)
        self.stopped, chosen = False, model.choose_classes(label)
        count = max(restarts, min(MOST_IN_POOL, max(POOL, EACH * len(chosen))))
        self.c = torch.tensor([chosen[i % len(chosen)] if chosen else 0 for i in range(count)])
        self.codes = self.space.of_seeds(range(seed, seed + count), self.c if chosen else None)
        self.known = _choose_pixels(model.shape, known)
        self.samples = self.count(self.space.pictures(self.codes, self.c if chosen else None))
        self.deviation = float(self.codes.std())
        self.reach = float("inf") if self.space.flat else self.codes.shape[1] ** 0.5 + OUTSIDE

    def find(self, target: Tensor, watch: Watch | None) -> tuple[Tensor, Tensor]:
        """The best code [d] of a target [C, H, W], and its class []."""
        wanted = self.count(target[None])[0]
        errors = (self.samples - wanted).square().mean(1)
        samples = _Ends(self.codes, self.c, self.samples, errors).best(len(errors))
        best = samples.best(1)
        for attempt in range(ATTEMPTS):
            first = attempt // 2 * self.restarts
            starts = self._scatter(best, wanted) if attempt % 2 else samples.slice(first, first + self.restarts)
            if self.stopped or not len(starts.errors):
                break
            show = None if watch is None else _Show(watch, best, self._draw_whole)
            end, going = self._descend(starts, wanted, show)
            best = better_of(best, end)
            levels = 127.5 * float(best.errors[0]) ** 0.5
            if not going or not EXACT <= levels < NEAR:
                break
        return best.codes[0], best.c[0]

    def _scatter(self, best: _Ends, wanted: Tensor) -> _Ends:
        """Starts around the best end, to get out of its hollow."""
        noise = torch.randn(self.restarts, best.codes.shape[1], generator=torch.Generator().manual_seed(self.restarts))
        codes, c = best.codes + SCATTER * self.deviation * noise, best.c.expand(self.restarts)
        pictures = self._draw(codes, c)
        return _Ends(codes, c, pictures, (pictures - wanted).square().mean(1))

    def _descend(self, ends: _Ends, wanted: Tensor, show: _Show | None) -> tuple[_Ends, bool]:
        """The best end of these starts, and whether `show` let them come to it."""
        history = [float(ends.errors.min())]
        try:
            for step in range(1, self.steps + 1):
                ends = self._step(ends.best((len(ends.errors) + 1) // 2) if step in HALVED else ends, wanted)
                history.append(float(ends.errors.min()))
                if show and show(ends.best(1)) is False:
                    return ends.best(1), False
                if history[-1] < (EXACT / 127.5) ** 2 or (step > HALVED[-1] and _has_stalled(history)):
                    break
        except KeyboardInterrupt:
            self.stopped = True
        return ends.best(1), True

    def _step(self, ends: _Ends, wanted: Tensor) -> _Ends:
        """One step of each end: the best of those with each damping, if it is better than none."""
        m, k = len(ends.codes), len(DAMPINGS)
        share = max(1, NUMBERS // (ends.codes.shape[1] * len(wanted)))  # ends whose Jacobians fit into memory
        steps = [self._list_steps(ends.slice(first, first + share), wanted) for first in range(0, m, share)]
        codes = (ends.codes[:, None] + torch.cat(steps)).flatten(0, 1)
        codes = codes * (self.reach / codes.norm(dim=1, keepdim=True).clamp_min(1e-9)).clamp_max(1)
        pictures = self._draw(codes, ends.c.repeat_interleave(k))
        errors = (pictures - wanted).square().mean(1).nan_to_num(float("inf"))
        rows = errors.view(m, k).argmin(1) + k * torch.arange(m)
        better = errors[rows] < ends.errors
        return _Ends(
            torch.where(better[:, None], codes[rows], ends.codes),
            ends.c,
            torch.where(better[:, None], pictures[rows], ends.pictures),
            torch.where(better, errors[rows], ends.errors),
        )

    def _list_steps(self, ends: _Ends, wanted: Tensor) -> Tensor:
        """Steps [m, dampings, d]: that of Gauss and Newton, and shorter and shorter ones towards the steepest descent."""
        m, d = ends.codes.shape
        unit, nudge = torch.eye(d), NUDGE * self.deviation
        nudged = self._draw((ends.codes[:, None] + nudge * unit).flatten(0, 1), ends.c.repeat_interleave(d))
        jacobian = (nudged.view(m, d, -1) - ends.pictures[:, None]) / nudge  # [m, d, P]
        normal = jacobian @ jacobian.mT
        scale = normal.diagonal(dim1=1, dim2=2).mean(1)[:, None, None, None] + 1e-12
        damped = normal[:, None] + scale * torch.tensor(DAMPINGS)[:, None, None] * unit
        gradient = (jacobian @ (wanted - ends.pictures)[:, :, None])[:, None]
        steps: Tensor = torch.linalg.solve_ex(damped, gradient.expand(-1, len(DAMPINGS), -1, -1))[0]
        return steps.squeeze(3)

    def count(self, pictures: Tensor) -> Tensor:
        """pictures [n, C, H, W] -> the pixels that count [n, P]."""
        flat = pictures.flatten(1)
        return flat if self.known is None else flat[:, self.known]

    def _draw(self, codes: Tensor, c: Tensor) -> Tensor:
        """codes [n, d] -> the pixels that count [n, P]; in larger parts than where equal bits are asked for."""
        classes = c if self.model.classes else None
        return self.count(sample_chunks(self.model.drawer, codes, classes, min(len(codes), PART), self.generate))

    def _draw_whole(self, end: _Ends) -> Tensor:
        """A single end -> its picture [C, H, W], also where pixels do not count."""
        return self.space.pictures(end.codes, end.c if self.model.classes else None)[0]


def _choose_pixels(shape: tuple[int, ...], known: Tensor | None) -> Tensor | None:
    """The places of pixels that count, in flat pictures of this shape, int64 [P]; None: all.

    Raises:
        UsageError: another height or width, or no pixel counts.
    """
    if known is None:
        return None
    if known.shape != shape[1:] or not known.any():
        found = f"{int(known.sum())} pixels of {list(known.shape)}"
        raise UsageError(f"known: expected some pixels of {list(shape[1:])}, found {found}; leave some of them to search by")
    return known.bool().expand(shape).flatten().nonzero().flatten()


def _has_stalled(history: list[float]) -> bool:
    """Whether the errors of the last steps say that more of them are useless."""
    return history[-1] > (1 - STALLED) * history[-1 - PATIENCE]
