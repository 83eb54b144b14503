"""Drag: handles, points of a sample, move to their targets, and the model draws the rest of the picture so that it fits.

A step does two things. Motion supervision: the features around a handle p should appear a little nearer to its target, so the
styles w of the early layers go down the gradient of |F(q + d) - F0(q0)| for the pixels q around p; d, of length 1 at most, is
the way on (eq. 1). Point tracking: then the handle is where the features are nearest to those at its start (eq. 2). With a mask
the features of what may not move should stay as they were. Source: DragGAN, arXiv:2305.10973, sec. 3.2.

Differs: the features to be met are those of the start, not of the step before, for else what arrives is not what was taken
(docs/latents.md has the numbers; FreeDrag, arXiv:2307.04684, keeps a template, too). They are drawn with noise inputs of 0, as
noise stays in its place whatever moves. A place is known by the pixels around it, to a fraction of a pixel. Styles move in
standard deviations of the w of the model, so that one rate suits all models, and the square of their way is a part of the loss,
which keeps the picture a picture of the model. Two layers are followed, not one. The search ends early where a handle goes back
and forth, or stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.capabilities import Styled
from ganvas.editing.point_tracking import find_by_pixels, list_pixels, look_around, look_up, track
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes
from ganvas.inference.latent_space import Space
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.latents.directions import principal_directions
from ganvas.layers.mapping import repeat_per_layer
from ganvas.runtime import placement
from ganvas.utils.parsing import require_count, spell_count

Point = tuple[float, float]  # x from the left, y from the top, in pixels; 0, 0 is the middle of the first pixel
Watch = Callable[[Tensor, Tensor], object]  # gets the picture [C, H, W] and the handles [n, 2]; what returns False ends it

STEPS, MOST_STEPS = 300, 10_000
MOST_HANDLES = 100
NEAR = 0.5  # pixels from the target: it ends when all handles are so near
CLOSE = 1.0  # is near enough, if they come no nearer
DOUBT = 2.0  # pixels from the target where the pixels alone see it: then it is doubtful
AHEAD = 2.0  # pixels in front of a handle where its features should appear, at most
RATE = 0.02  # of Adam, in standard deviations of w
KEEP, STAY = 1.0, 0.002  # weights of what the mask keeps, and of the square of the way of the styles
KNOWN_BY = 16  # a handle is known by the pixels around it, to a sixteenth of the side of the picture
MORE = 2  # pixels to each side that are pulled beyond those
MIDDLE = 128  # a mask from here on is white
CLOUD = 2_000  # codes whose covariance is that of the model
PATIENCE, PROGRESS = 120, 0.25  # steps in which some handle must come so many pixels nearer
RESTLESS = 2.0  # pixels between the ends of its way in the patience: more is oscillation, less is standing still

REASONS = {
    "reached": f"every handle is within {CLOSE:g} px of its target",
    "doubtful": f"every handle is within {CLOSE:g} px of its target by its features, but the pixels there are not those that "
    "were taken: the model knows no such picture; drag a shorter way",
    "limit": "the limit of steps came first; allow more steps, or drag a shorter way",
    "oscillation": "a handle goes back and forth and comes no nearer: the model knows no such picture; drag a shorter way",
    "stuck": "a handle stays where it is and comes no nearer: the model knows no such picture; drag a shorter way",
    "frozen": "a handle comes no nearer, as the mask keeps what is black: make more of the mask white, or drag a shorter way",
    "left": "what the handle held is gone: it left the picture, or something covers it; drag a shorter way",
    "stopped": "stopped on request",
}


@dataclass(frozen=True)
class Drag:
    """What was there after each step, the start included.

    `codes` [T, styles, d] are the styles w of each layer, `film` [T, C, H, W] their pictures in [-1, 1], `paths` [T, n, 2] the
    handles (x, y), `targets` [n, 2]. `seen` [n, 2] is where the handles are in the end by the pixels alone, which the drag does
    not look at (`point_tracking.find_by_pixels`). `reason` is a key of `REASONS`: why it ended. `classes` [1]: of a model with
    classes.
    """

    codes: Tensor
    film: Tensor
    paths: Tensor
    targets: Tensor
    seen: Tensor
    reason: str
    classes: Tensor | None = None

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.film) - 1

    @property
    def distances(self) -> list[float]:
        """How far from its target each handle ended, in pixels, by its features."""
        return [float(each) for each in (self.targets - self.paths[-1]).norm(dim=1)]

    @property
    def seen_distances(self) -> list[float]:
        """The same by the pixels alone."""
        return [float(each) for each in (self.targets - self.seen).norm(dim=1)]


def drag(
    model: LoadedGame,
    place: int | Codes,
    handles: Sequence[Point],
    targets: Sequence[Point],
    mask: npt.ArrayLike | None = None,
    *,
    label: Label = None,
    steps: int = STEPS,
    watch: Watch | None = None,
) -> Drag:
    """Drag the handles of the sample of a seed, or of one code, to their targets, in at most `steps` steps.

    `mask` [H, W], bool, or uint8 from 0 to 255 where 128 and more is white: white may move, black stays; None: all may move.
    `label`: the class of a seed, by default the first. Ctrl-C ends it, and so does `watch` that returns False; what was reached
    is the result.

    Raises:
        UsageError: the model has no styles w, or no such class; not one code; a point outside the picture, or more handles than
            targets; a mask of another size.
    """
    game = model.drawer
    if not isinstance(game, Styled):
        raise UsageError(f"drag: {model.name} has no styles w; choose a model of a stylegan game, such as stylegan2-fashion")
    space = model.space("w")
    starts, ends = _as_points("handle", handles, model), _as_points("target", targets, model)
    if len(starts) != len(ends):
        counts = f"{spell_count(len(starts), 'handles')} and {spell_count(len(ends), 'targets')}"
        raise UsageError(f"drag: expected a target for each handle, got {counts}")
    require_count("handles", len(starts), 1, MOST_HANDLES)
    require_count("steps", steps, 1, MOST_STEPS)
    moves = None if mask is None else _as_mask(mask, model)
    seeds = place if isinstance(place, Codes) else [place]
    if len(seeds) != 1:
        raise UsageError(f"drag: expected one code, got {len(seeds)}; choose one of them")
    c = model.classes_of(seeds, label)
    w = repeat_per_layer(space.of_seeds(seeds, c), game.styles)[0]
    search = _Search(game, w, _measure_axes(model, space), starts, ends, moves)
    reason = search.run(steps, watch)
    codes = torch.stack(search.codes)
    first, last = search.draw_without_noise(codes[[0, -1]])
    seen = torch.stack([find_by_pixels(first, last, start) for start in starts])
    if reason == "reached" and ((ends - seen).norm(dim=1) > DOUBT).any():
        reason = "doubtful"
    return Drag(codes, space.pictures(codes, None), torch.stack(search.paths), ends, seen, reason, c)


class _Search:
    """The styles and the handles, and what they were after each step."""

    def __init__(self, game: Styled, w: Tensor, axes: Tensor, starts: Tensor, targets: Tensor, moves: Tensor | None) -> None:
        device = placement.device_of(game)
        self.game, self.side, self.layers = game, game.layer_sides[-1], choose_layers(game)
        # Noise stays in its place whatever moves, and so holds a texture there: the features are those without it.
        self.noise = [torch.zeros(1, 1, side, side, device=device) for side in game.layer_sides]
        self.w, self.axes, self.points, self.targets = (each.to(device) for each in (w, axes, starts, targets))
        self.moves = None if moves is None else moves.to(device)
        free = max(self.layers) + 1
        self.way = torch.zeros(free, w.shape[1], device=device, requires_grad=True)  # of the styles, in standard deviations
        known_by = max(1, self.side // KNOWN_BY)
        self.pulled = list_pixels(known_by + MORE).to(device)
        with torch.no_grad():
            found = self._list_features(self.w)
            self.scales = [float(each.abs().mean().clamp_min(1e-12)) * each.shape[1] * len(found) for each in found]
            self.first = self._join(found)
        self.pulled_first = look_around(self.first, self.points, known_by + MORE)
        self.known_first = look_around(self.first, self.points, known_by)
        everywhere = look_up(self.first, (list_pixels(self.side // 2) + self.side // 2).to(device))
        middle = look_up(self.first, self.points)
        self.usual = (everywhere - middle[:, None]).abs().sum(2).median(1).values  # how unlike a handle a place usually is
        self.unlike = torch.zeros_like(self.usual)
        self.codes, self.paths = [w], [starts]

    def run(self, steps: int, watch: Watch | None) -> str:
        """Make the steps; returns why they ended, a key of `REASONS`."""
        optimizer = torch.optim.Adam([self.way], lr=RATE)
        w, features = self._draw()
        try:
            while not (reason := self._find_reason(steps)):
                (self.way.grad,) = torch.autograd.grad(self._measure_loss(features), self.way)
                optimizer.step()
                w, features = self._draw()
                self.points, self.unlike = track(features.detach(), self.known_first, self.points)
                self.codes.append(placement.to_cpu(w.detach()))
                self.paths.append(placement.to_cpu(self.points))
                if watch and self._show(w, watch) is False:
                    return "stopped"
        except KeyboardInterrupt:
            del self.codes[len(self.paths) :]
            return "stopped"
        return reason

    def _draw(self) -> tuple[Tensor, Tensor]:
        """The styles now [styles, d], and their features [1, K, H, W]."""
        moved = self.w[: len(self.way)] + self.way @ self.axes
        w = torch.cat([moved, self.w[len(self.way) :]])
        return w, self._join(self._list_features(w))

    def _list_features(self, w: Tensor) -> list[Tensor]:
        """The features [1, K, side, side] of each chosen layer."""
        found = []
        for layer, features in enumerate(self.game.synthesize_features(w[None], self.noise)):
            found += [features] if layer in self.layers else []
            if layer == self.layers[-1]:  # no later one is computed
                break
        return found

    def _join(self, found: Sequence[Tensor]) -> Tensor:
        """Features [1, K, H, W] of all chosen layers at the size of the picture, in units of the mean of each at the start."""
        size = (self.side, self.side)
        parts = [each / scale for each, scale in zip(found, self.scales, strict=True)]
        return torch.cat([F.interpolate(part, size, mode="bilinear", align_corners=False) for part in parts], 1)

    def _measure_loss(self, features: Tensor) -> Tensor:
        """Motion supervision for the handles that are on their way, and what the mask keeps (eq. 1)."""
        ahead = self.targets - self.points
        distances = ahead.norm(dim=1, keepdim=True)
        met = look_up(features, self.points[:, None] + self.pulled + (ahead * (AHEAD / distances).clamp_max(1))[:, None])
        loss = (met - self.pulled_first).abs().sum(2).mean(1).sum() + STAY * self.way.square().sum(1).mean()
        if self.moves is not None:
            loss = loss + KEEP * ((features - self.first).abs().sum(1) * (1 - self.moves)).mean()
        return loss

    def _may_move(self) -> bool:
        """Whether the mask is white at every handle."""
        x, y = self.points.round().long().unbind(1)
        return bool((self.moves[y, x] > 0).all()) if self.moves is not None else True

    @torch.no_grad()
    def draw_without_noise(self, codes: Tensor) -> Tensor:
        """Styles [N, styles, d] -> pictures [N, C, H, W] with noise inputs of 0."""
        noise = [each.expand(len(codes), -1, -1, -1) for each in self.noise]
        return placement.to_cpu(self.game.synthesize(codes.to(self.points.device), noise).clamp(-1, 1))

    def _find_reason(self, steps: int) -> str:
        """Why to end after these steps, a key of `REASONS`; "": go on."""
        if len(self.paths) == 1 and not self._may_move():
            return "frozen"
        distances = (self.targets.cpu() - torch.stack(self.paths)).norm(dim=2)  # [T, n]
        if (distances[-1] <= NEAR).all():
            return "reached"
        if (self.unlike > self.usual).any():
            return "left"
        over, stalled, away = len(distances) > steps, False, distances[-1] > NEAR
        if len(distances) > PATIENCE:
            late, early = distances[-PATIENCE:].amin(0), distances[:-PATIENCE].amin(0)
            stalled = not (late < early - PROGRESS)[away].any()
        if (over or stalled) and (distances[-1] <= CLOSE).all():
            return "reached"
        if stalled:
            paths = torch.stack(self.paths[-PATIENCE:])
            ends = (paths.amax(0) - paths.amin(0)).norm(dim=1)[away]
            return "oscillation" if (ends > RESTLESS).any() else "frozen" if self.moves is not None else "stuck"
        return "limit" if over else ""

    def _show(self, w: Tensor, watch: Watch) -> object:
        with torch.no_grad():
            picture = self.game.synthesize(w[None])[0]
        return watch(placement.to_cpu(picture), self.paths[-1])


def choose_layers(game: Styled) -> tuple[int, ...]:
    """The layers whose features are followed: the last with half as many pixels a side as the picture, and the one after it."""
    sides = game.layer_sides
    last = max((i for i, side in enumerate(sides) if side < sides[-1]), default=0)
    return tuple(sorted({last, min(last + 1, len(sides) - 1)}))


def _measure_axes(model: LoadedGame, space: Space) -> Tensor:
    """The axes [d, d] of w: a row for each principal direction, as long as the standard deviation of the codes along it."""
    cloud = space.of_seeds(range(CLOUD), model.classes_in_turn(None, CLOUD)).double()
    vectors = principal_directions(cloud).vectors
    return (vectors * (cloud @ vectors.T).std(0)[:, None]).float()


def _as_points(what: str, points: Sequence[Point], model: LoadedGame) -> Tensor:
    """Points in the picture -> float32 [n, 2]."""
    height, width = model.shape[1:]
    for x, y in points:
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):  # written this way, it also refuses NaN
            size = f"X from 0 to {width - 1} and Y from 0 to {height - 1}"
            raise UsageError(f"{what} {x:g},{y:g}: expected a pixel of the picture, {size}")
    return torch.tensor([tuple(map(float, point)) for point in points]).view(-1, 2)


def _as_mask(mask: npt.ArrayLike, model: LoadedGame) -> Tensor | None:
    """A mask as the user has it -> 1 where a pixel may move, else 0: float32 [H, W]; None: all may."""
    values, size = np.asarray(mask), model.shape[1:]
    if values.shape != size or values.dtype not in (np.bool_, np.uint8):
        expected = f"bool or uint8 [{size[0]}, {size[1]}]"
        raise UsageError(f"mask: expected {expected}, got {values.dtype} {list(values.shape)}")
    moves = torch.from_numpy((values if values.dtype == np.bool_ else values >= MIDDLE).astype(np.float32))
    return None if moves.all() else moves
