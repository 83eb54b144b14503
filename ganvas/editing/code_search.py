"""The search of an inversion: the method of Levenberg and Marquardt on codes, from several starts. `inversion.py` says why."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from ganvas.core.capabilities import Conditional, Encodes, require_pictures
from ganvas.core.modality import IMAGES
from ganvas.editing.search_ends import Ends, Show, Shows, Watch, better_of
from ganvas.errors import UsageError
from ganvas.inference.batches import encode_chunks, sample_chunks
from ganvas.inference.latent_space import require_styles, space
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.utils.parsing import require_count

RESTARTS, STEPS = 16, 40
MOST_RESTARTS, MOST_STEPS = 256, 1_000
POOL, MOST_IN_POOL = 256, 1_024  # samples to start from; at least `EACH` of a class
EACH = 32
SMALL = 32  # pixels of a side up to which a Jacobian is cheap
PART = 256  # pictures that are generated at a time
NUMBERS = 32_000_000  # of the Jacobians that are held at a time
HALVED = (8, 16, 30)  # steps after which the worse half of several starts is given up
NUDGE = 0.003  # of a code, in standard deviations; larger ones miss the kinks of ReLU, smaller ones the digits of float32
OUTSIDE = 2.2  # how far the length of z may exceed its usual one: the length of one noise in a thousand does
DAMPINGS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)  # of a step, all of which are tried: a picture is cheap beside them
EXACT = 0.35  # levels of 255: little more than what rounding to 8 bits makes, 0.29
NEAR, ATTEMPTS = 10.0, 8  # a smaller error says that the picture is of this model: then it is searched again,
SCATTER = 0.3  # around the best code, with this standard deviation, and from other samples, in turn
STALLED, PATIENCE = 0.002, 4  # the share by which the error must fall in so many steps, or a search ends
AGREED = 0.02  # the share by which the errors of two starts may differ that have come to the same minimum

Generate = Callable[[Tensor, Tensor | None], Tensor]


def require_images(model: LoadedGame) -> None:
    """Raises: UsageError: the model makes something else than images, or makes them from inputs."""
    require_pictures(model.drawer)
    if model.modality is not IMAGES:
        raise UsageError(f"{model.name} makes {model.modality.name}, and this needs images; choose another model")


class Search:
    """The samples that a search starts from, and its steps."""

    def __init__(
        self,
        model: LoadedGame,
        label: Label,
        where: str | None,
        restarts: int,
        steps: int,
        seed: int,
        weights: Tensor | None = None,
    ) -> None:
        require_count("restarts", restarts, 1, MOST_RESTARTS)
        require_count("steps", steps, 1, MOST_STEPS)
        require_images(model)
        self.model, self.space = model, space(model.drawer, where)
        self.name = self.space.name
        self.restarts, self.steps, self.weights = restarts, steps, read_weights(model, weights)
        self.anchor: Tensor | None = None  # a code [d] that the search stays near to, and how much
        self.hold = 0.0
        self.limits = torch.tensor(-float("inf")), torch.tensor(float("inf"))  # of each pixel, by the target
        self.generate: Generate = self.model.drawer.sample
        if self.space.flat:
            self.generate = lambda w, _: require_styles(self.model.drawer).synthesize(w)
        self.stopped = self.ended = False  # by Ctrl-C; by `watch`, the search of one picture
        chosen = model.choose_classes(label)
        count = max(restarts, min(MOST_IN_POOL, max(POOL, EACH * len(chosen))))
        self.c = torch.tensor([chosen[i % len(chosen)] if chosen else 0 for i in range(count)])
        self.codes = self.space.of_seeds(range(seed, seed + count), self.c if chosen else None)
        self.deviation = float(self.codes.std())
        self.reach = self.codes.shape[1] ** 0.5 + OUTSIDE

    @cached_property
    def samples(self) -> Tensor:
        """The pictures of `codes`, [n, P]."""
        return self._draw(self.codes, self.c).flatten(1)

    def find(self, target: Tensor, watch: Watch | None) -> tuple[Tensor, Tensor]:
        """The best code [d] of a target [C, H, W], and its class []."""
        best = self._find_code(target, self._aim(target), watch)
        return best.codes[0], best.c[0]

    def improve(
        self, codes: Tensor, c: Tensor | None, target: Tensor, hold: float, watch: Watch | None
    ) -> tuple[Tensor, Tensor]:
        """The best code near one code [1, ...] of class [1] for a target [C, H, W], of its shape, and its class []."""
        flat, c = codes.flatten(1), self.c[:1] if c is None else c
        self.anchor, self.hold = flat[0], hold
        wanted = self._aim(target)
        seen = self._see(flat, c)
        end = self._follow(Ends(flat, c, seen, (seen - wanted).square().mean(1)), wanted, watch)
        return end.codes[0].view(codes.shape[1:]), end.c[0]

    def measure(self, pictures: Tensor, targets: Tensor) -> Tensor:
        """Root mean square differences [N] in levels of 255, weighted as the search is."""
        apart = (pictures - targets).flatten(1)
        return 127.5 * (apart if self.weights is None else apart * self.weights).square().mean(1).sqrt()

    def _follow(self, ends: Ends, wanted: Tensor, watch: Watch | None) -> Ends:
        """The end of a single start, if it is better than the start."""
        return better_of(ends, self._descend(ends, wanted, self._show(watch, ends))[0].best(1))

    def _show(self, watch: Watch | None, best: Ends) -> Shows | None:
        """What shows `watch` the best picture so far."""
        return None if watch is None else Show(watch, best, self._draw)

    def _find_code(self, target: Tensor, wanted: Tensor, watch: Watch | None) -> Ends:
        """The best end in z or w."""
        codes, c, pictures = self._list_starts(target)
        errors = (pictures - wanted).square().mean(1)
        samples = Ends(codes, c, pictures, errors).best(len(errors))
        best = samples.best(1)
        for attempt in range(ATTEMPTS):
            first = attempt // 2 * self.restarts
            starts = self._scatter(best, wanted) if attempt % 2 else samples.slice(first, first + self.restarts)
            if self.stopped or not len(starts.errors):
                break
            end, going = self._descend(starts, wanted, self._show(watch, best))
            best = better_of(best, end.best(1))
            levels = 127.5 * float(best.errors[0]) ** 0.5
            self.ended = not going
            if self.ended or not EXACT <= levels < NEAR or (attempt % 2 == 0 and _do_agree(end)):
                break
        return best

    def _list_starts(self, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes [n, d], classes [n] and pictures [n, P] of the samples, and of what the encoder says of the target."""
        samples = self.codes, self.c, self._compare(self.samples, self.codes)
        game = self.model.game
        if not isinstance(game, Encodes) or self.space.flat or isinstance(game, Conditional):
            return samples
        codes, c = encode_chunks(game, target[None]), self.c[:1]
        return tuple(map(torch.cat, zip(samples, (codes, c, self._see(codes, c)), strict=True)))  # type: ignore[return-value]

    def _scatter(self, best: Ends, wanted: Tensor) -> Ends:
        """Starts around the best end, to get out of its hollow."""
        noise = torch.randn(self.restarts, best.codes.shape[1], generator=torch.Generator().manual_seed(self.restarts))
        codes, c = best.codes + SCATTER * self.deviation * noise, best.c.expand(self.restarts)
        pictures = self._see(codes, c)
        return Ends(codes, c, pictures, (pictures - wanted).square().mean(1))

    def _descend(self, ends: Ends, wanted: Tensor, show: Shows | None, stalled: float = STALLED) -> tuple[Ends, bool]:
        """The ends of the best of these starts, the best one first, and whether `show` let them come to it."""
        halved = HALVED if len(ends.errors) > 1 else (0,)
        history = [float(ends.errors.min())]
        try:
            for step in range(1, self.steps + 1):
                ends = self._step(ends.best((len(ends.errors) + 1) // 2) if step in halved else ends, wanted)
                history.append(float(ends.errors.min()))
                if show and show(ends.best(1)) is False:
                    return ends.best(1), False
                if is_exact(history[-1]) or (step > halved[-1] and has_stalled(history, stalled)):
                    break
        except KeyboardInterrupt:
            self.stopped = True
        return ends.best(len(ends.errors)), True

    def _step(self, ends: Ends, wanted: Tensor) -> Ends:
        """One step of each end: the best of those with each damping, if it is better than none."""
        m, k = len(ends.codes), len(DAMPINGS)
        share = max(1, NUMBERS // (ends.codes.shape[1] * len(wanted)))  # ends whose Jacobians fit into memory
        steps = [self._list_steps(ends.slice(first, first + share), wanted) for first in range(0, m, share)]
        codes = (ends.codes[:, None] + torch.cat(steps)).flatten(0, 1)
        codes = self.hold_within(codes)
        pictures = self._see(codes, ends.c.repeat_interleave(k, 0))
        errors = (pictures - wanted).square().mean(1).nan_to_num(float("inf"))
        rows = errors.view(m, k).argmin(1) + k * torch.arange(m)
        better = errors[rows] < ends.errors
        return Ends(
            torch.where(better[:, None], codes[rows], ends.codes),
            ends.c,
            torch.where(better[:, None], pictures[rows], ends.pictures),
            torch.where(better, errors[rows], ends.errors),
        )

    def hold_within(self, codes: Tensor) -> Tensor:
        """codes [n, d] -> the same, those beyond where the noise of the training was brought back to its edge."""
        if self.space.flat:
            return codes
        held: Tensor = codes * (self.reach / codes.norm(dim=1, keepdim=True).clamp_min(1e-9)).clamp_max(1)
        return held

    def _list_steps(self, ends: Ends, wanted: Tensor) -> Tensor:
        """Steps [m, dampings, d]: that of Gauss and Newton, and shorter and shorter ones towards the steepest descent."""
        m, d = ends.codes.shape
        unit, nudge = torch.eye(d), NUDGE * self.deviation
        nudged = self._see((ends.codes[:, None] + nudge * unit).flatten(0, 1), ends.c.repeat_interleave(d, 0))
        jacobian = (nudged.view(m, d, -1) - ends.pictures[:, None]) / nudge  # [m, d, P]
        normal = jacobian @ jacobian.mT
        scale = normal.diagonal(dim1=1, dim2=2).mean(1)[:, None, None, None] + 1e-12
        damped = normal[:, None] + scale * torch.tensor(DAMPINGS)[:, None, None] * unit
        gradient = (jacobian @ (wanted - ends.pictures)[:, :, None])[:, None]
        steps: Tensor = torch.linalg.solve_ex(damped, gradient.expand(-1, len(DAMPINGS), -1, -1))[0]
        return steps.squeeze(3)

    def _aim(self, target: Tensor) -> Tensor:
        """What is compared of a target [C, H, W], [P]: where `_see` of the codes should come to."""
        wanted = target.flatten()
        self.limits = limits_of(wanted)
        wanted = wanted if self.weights is None else wanted * self.weights
        return wanted if self.anchor is None else torch.cat([wanted, torch.zeros_like(self.anchor)])

    def _see(self, codes: Tensor, c: Tensor) -> Tensor:
        """codes [n, d] -> what is compared of their pictures, [n, P]."""
        return self._compare(self._draw(codes, c).flatten(1), codes)

    def _compare(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """pictures [n, P] of codes -> what is compared: the weighted pixels, and the way from the anchor."""
        seen = pictures.clamp(*self.limits)
        seen = seen if self.weights is None else seen * self.weights
        if self.anchor is None:
            return seen
        # So that its mean over all of these numbers is `hold` times its square in standard deviations.
        scale = (self.hold * (seen.shape[1] + codes.shape[1]) / codes.shape[1]) ** 0.5
        return torch.cat([seen, scale / self.deviation * (codes - self.anchor)], 1)

    def _draw(self, codes: Tensor, c: Tensor) -> Tensor:
        """codes [n, d] -> pictures [n, C, H, W]; in larger parts than where equal bits are asked for."""
        classes = c if self.model.classes else None
        return sample_chunks(self.model.drawer, codes, classes, min(len(codes), PART), self.generate)


def limits_of(targets: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest number [...] that each pixel of a picture that is compared with targets [...] may have.

    Some generators go beyond black and white, -1 and 1, and a stored picture cannot: there, all that is beyond is right.
    """
    infinite = float("inf")
    return torch.where(targets <= -1, -1.0, -infinite), torch.where(targets >= 1, 1.0, infinite)


def read_weights(model: LoadedGame, weights: Tensor | None) -> Tensor | None:
    """weights [H, W] -> factors [C * H * W] of the differences of pixels, so that their squares have a mean of 1.

    Raises:
        UsageError: another shape, a number below 0, or no pixel counts.
    """
    if weights is None:
        return None
    shape = model.shape[1:]
    if weights.shape != shape or not bool(weights.min() >= 0) or not 0 < float(weights.mean()) < float("inf"):
        raise UsageError(f"weights: expected numbers from 0, some of them above, for {shape[0]} x {shape[1]} pixels")
    return (weights.float() / weights.float().mean()).sqrt().expand(model.shape).flatten()


def is_exact(error: float) -> bool:
    """Whether a mean squared error is hardly more than what rounding to 8 bits makes."""
    return error < (EXACT / 127.5) ** 2


def has_stalled(history: list[float], share: float = STALLED) -> bool:
    """Whether the error fell by less than a share in the last `PATIENCE` steps."""
    return len(history) > PATIENCE and history[-1] > (1 - share) * history[-1 - PATIENCE]


def _do_agree(ends: Ends) -> bool:
    """Whether the two best of several starts have come to one minimum: then it is hardly a local one."""
    return len(ends.errors) > 1 and float(ends.errors[1]) <= (1 + AGREED) ** 2 * float(ends.errors[0])
