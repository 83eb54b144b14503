"""Edits: a list of steps from a sample, or from the code of a picture; each has a strength, and can be switched off.

A step moves the code: along a direction, towards a class, to the styles of another seed, by the latents of other seeds, or by
what a brush asked for. Styles w are edited layer by layer (w+). The list is all that is kept: the same model, beginning and
steps give the same picture.
Brush: arXiv:1609.03552 sec. 3.2; drag: `drag.py`; directions: `named_directions.py`; style mixing: arXiv:1812.04948 sec. 3.1;
sums: arXiv:1511.06434 sec. 6.3.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.capabilities import Conditional, Styled, require_pictures
from ganvas.core.modality import IMAGES
from ganvas.editing.code_search import Search
from ganvas.editing.drag import Drag, Point, drag
from ganvas.editing.inversion import Inversion, refine
from ganvas.editing.named_directions import Direction, directions
from ganvas.editing.search_ends import Watch
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes
from ganvas.inference.latent_space import Space, require_styles
from ganvas.inference.model import Model
from ganvas.latents.paths import combine, scale_to_norm
from ganvas.layers.mapping import repeat_per_layer
from ganvas.utils.parsing import parse_numbers
from ganvas.utils.settings import from_dict

MOST_STEPS = 64  # in a list
FARTHEST = 100.0  # strength of a step
MOST_SEEDS = 256  # of a term of a sum
ELSEWHERE = 0.03  # weight of a pixel that no stroke covers, beside 1
# Share of the error at the start that a way of one standard deviation in all numbers of the code costs: of z, and of styles w,
# where a picture falls apart sooner.
HOLD, HOLD_STYLES = 0.05, 0.5
BRUSH_STEPS = 12
Kind = Literal["move", "morph", "mix", "shift", "sum"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change. What each kind reads:

    - `move`: `name` of a direction, and `amount` in standard deviations of the model's own codes;
    - `morph`: `name` of a class, and `amount`, the share of the way to it;
    - `mix`: `seed`, whose styles the layers from `first` on take, or those of `layers`, and `amount`, the share of the way;
    - `sum`: `plus` and `minus`, the latents of whose seeds are added and subtracted as `latent_arithmetic.py` does, and
      `amount`, how often; each 1,2,5-7, or with a class as 8:1-3;
    - `shift`: `change`, what is added to the code, and `amount`, how often; `name` says what made it, such as brush.
    """

    kind: Kind
    name: str = ""
    amount: float = 1.0
    on: bool = True
    seed: int = 0
    first: int = 0
    layers: tuple[int, ...] = ()
    plus: str = ""
    minus: str = ""
    change: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raises: UsageError: a number out of range."""
        if not abs(self.amount) <= FARTHEST:  # nor NaN
            raise UsageError(f"step: expected an amount from {-FARTHEST:g} to {FARTHEST:g}, got {self.amount:g}")
        if not all(map(math.isfinite, self.change)):
            raise UsageError("step: expected finite numbers as change")


@dataclass(frozen=True)
class Place:
    """A code [d] in z, or [styles, d] of a model with styles, and shares of the classes [classes] where z needs one."""

    code: Tensor
    shares: Tensor | None = None


class Editor:
    """The edits of one model."""

    def __init__(self, model: Model) -> None:
        """Raises: UsageError: the model does not make pictures from noise."""
        require_pictures(model.game)
        if model.modality is not IMAGES:
            raise UsageError(f"{model.name} makes {model.modality.name}, and edits need images; choose another model")
        self.model = model
        self.space = Space(model.drawer, flat=isinstance(model.drawer, Styled))
        self.found: dict[str, Direction] = {}

    @property
    def styles(self) -> int:
        """The number of layers that take w; 0: the model has no styles."""
        return self.model.drawer.styles if isinstance(self.model.drawer, Styled) else 0

    # Beginnings -------------------------------------------------------------------------------------------------------------

    def of_seed(self, seed: int, label: int | str | None = None) -> Place:
        """A sample. Of a conditional model without a label: the first class. Raises: UsageError: no such class."""
        chosen = self.model.choose_classes(0 if label is None and self.model.classes else label)
        c = torch.tensor(chosen[:1]) if chosen else None
        return self._place(self.space.of_seeds([seed], c)[0], c)

    def of_codes(self, codes: Codes) -> Place:
        """The first one of given codes. Raises: UsageError: they are of another model."""
        d, shape = self.model.drawer.latent_dim, tuple(codes.codes.shape[1:])
        fits = {"z": (d,), "w": (d,), "w+": (self.styles, d)}
        lacks = codes.classes is None and not self.styles and bool(self.model.classes)
        if shape != fits[codes.space] or (codes.space != "z" and not self.styles) or lacks:
            raise UsageError(f"codes: made for another model than {self.model.name}; choose the model that they were made with")
        c = None if codes.classes is None else codes.classes[:1]
        return self._place(self.space.of_seeds(replace_first(codes), c)[0], c)

    def _place(self, code: Tensor, c: Tensor | None) -> Place:
        if self.styles:
            return Place(repeat_per_layer(code[None], self.styles)[0].clone() if code.ndim == 1 else code)
        return Place(code, None if c is None else F.one_hot(c[0], len(self.model.classes)).float())

    # Steps ------------------------------------------------------------------------------------------------------------------

    def follow(self, place: Place, steps: Sequence[Step]) -> list[Place]:
        """The place before the first step, and after each one; a step that is off changes nothing.

        Raises:
            UsageError: too many steps, or one that this model cannot do.
        """
        if len(steps) > MOST_STEPS:
            raise UsageError(f"edits: expected at most {MOST_STEPS} steps, got {len(steps)}")
        places = [place]
        for step in steps:
            places.append(self.apply(places[-1], step) if step.on else places[-1])
        return places

    def apply(self, place: Place, step: Step) -> Place:
        """The place after one step. Raises: UsageError: this model cannot do it."""
        kinds: Mapping[str, Callable[[Place, Step], Place]] = {
            "move": self._move,
            "morph": self._morph,
            "mix": self._mix,
            "shift": self._shift,
            "sum": self._sum,
        }
        return kinds[step.kind](place, step)

    def _move(self, place: Place, step: Step) -> Place:
        way = self.find_direction(step.name)
        return replace(place, code=place.code + (step.amount * way.sd * way.vector).float())

    def find_direction(self, name: str) -> Direction:
        """A direction by its name, computed once. Raises: UsageError: there is none."""
        if name not in self.found:
            several = directions(self.model, self.space, [name])
            if len(several) != 1:
                raise UsageError(f"direction: expected one, such as sefa:0, got {name!r}")
            self.found[name] = several[0]
        return self.found[name]

    def _morph(self, place: Place, step: Step) -> Place:
        if not isinstance(self.model.game, Conditional):
            raise UsageError("morph: this model has no classes; move along a direction")
        number = self.model.class_index(step.name)
        if place.shares is not None:
            return replace(place, shares=torch.lerp(place.shares, self._mark(number), step.amount))
        means = self.class_means
        nearest = int((place.code.mean(0) - means).norm(dim=1).argmin())  # the class that the styles are of now
        return replace(place, code=place.code + step.amount * (means[number] - means[nearest]))

    @cached_property
    def class_means(self) -> Tensor:
        """The mean style w of each class, [classes, d]."""
        each = 500
        means = [
            self.space.of_seeds(range(each), torch.full((each,), number)).mean(0) for number in range(len(self.model.classes))
        ]
        return torch.stack(means)

    def _mix(self, place: Place, step: Step) -> Place:
        if not self.styles:
            raise UsageError("mix: this model has no styles; choose a model of a stylegan game")
        wrong = [layer for layer in (step.first, *step.layers) if not 0 <= layer < self.styles]
        if wrong:
            raise UsageError(f"mix: expected a layer from 0 to {self.styles - 1}, got {wrong[0]}")
        other, every = self.of_seed(step.seed).code, torch.arange(self.styles)
        taken = torch.isin(every, torch.tensor(step.layers)) if step.layers else every >= step.first
        return replace(place, code=torch.where(taken[:, None], torch.lerp(place.code, other, step.amount), place.code))

    def _sum(self, place: Place, step: Step) -> Place:
        (added, to), (taken, of) = self._find_mean(step.plus), self._find_mean(step.minus)
        if (to is None) != (of is None):
            raise UsageError(f"sum: a class on one side alone; expected none, or two as in 8:1-3 and 3:1-3, got {step.plus!r}")
        code = place.code + step.amount * (added - taken)
        if self.styles:
            return replace(place, code=code)
        code = scale_to_norm(code, place.code.norm())  # z lies near a sphere
        if place.shares is None or to is None or of is None:
            return replace(place, code=code)
        return replace(place, code=code, shares=place.shares + step.amount * (self._mark(to) - self._mark(of)))

    def _find_mean(self, text: str) -> tuple[Tensor, int | None]:
        """The mean code [d] of seeds, and their class if one is named. Raises: UsageError: no seeds, or no such class."""
        name, colon, seeds = text.rpartition(":")
        label = self.model.class_index(name.strip()) if colon else None
        numbers = parse_numbers(seeds.strip())
        if len(numbers) > MOST_SEEDS:
            raise UsageError(f"sum: expected at most {MOST_SEEDS} seeds, got {len(numbers):,}")
        needs = self.styles and self.model.classes  # w contains the class
        c = torch.full((len(numbers),), label or 0) if needs else None
        return combine([(1, self.space.of_seeds(numbers, c))], straight=bool(self.styles)), label

    def _mark(self, number: int) -> Tensor:
        """The shares [classes] of one class alone."""
        return F.one_hot(torch.tensor(number), len(self.model.classes)).float()

    def _shift(self, place: Place, step: Step) -> Place:
        if len(step.change) != place.code.numel():
            raise UsageError(f"{step.name or 'shift'}: made for another model ({len(step.change)} numbers)")
        return replace(place, code=place.code + step.amount * torch.tensor(step.change).view(place.code.shape))

    # Pictures ---------------------------------------------------------------------------------------------------------------

    def draw(self, places: Sequence[Place]) -> Tensor:
        """Pictures [N, C, H, W] in about [-1, 1]."""
        shares = [place.shares for place in places if place.shares is not None]
        return self.space.pictures(torch.stack([place.code for place in places]), torch.stack(shares) if shares else None)

    def brush(
        self, place: Place, strokes: Tensor, covered: Tensor, *, watch: Callable[[Tensor], object] | None = None
    ) -> tuple[Step, bool]:
        """The step to the picture with `strokes` [C, H, W] in [-1, 1] where `covered` [H, W] is 1, and little change elsewhere.

        Also whether Ctrl-C ended the search. Where `watch` returns False it ends too.

        Raises:
            UsageError: another shape, or no stroke.
        """
        before = self.draw([place])[0].clamp(-1, 1)
        if strokes.shape != before.shape or covered.shape != before.shape[1:] or not bool(covered.any()):
            raise UsageError(f"brush: expected strokes on some of {before.shape[2]} x {before.shape[1]} pixels")
        target = torch.lerp(before, strokes, covered)
        weights = ELSEWHERE + (1 - ELSEWHERE) * covered
        hold = (HOLD_STYLES if self.styles else HOLD) * float((weights / weights.mean() * (before - target).square()).mean())
        if self.styles:
            change, stopped = self._find_shift(place, target, weights, hold, watch)
        else:
            shares = None if place.shares is None else place.shares[None]
            start = Inversion("z", place.code[None], shares, before[None], torch.zeros(1))
            found = refine(self.model, start, target[None], weights=weights, hold=hold, steps=BRUSH_STEPS, watch=watch)
            change, stopped = found.codes[0] - place.code, found.stopped
        return Step(kind="shift", name="brush", change=tuple(change.flatten().tolist())), stopped

    def _find_shift(
        self, place: Place, target: Tensor, weights: Tensor, hold: float, watch: Watch | None
    ) -> tuple[Tensor, bool]:
        """What is added to all styles [styles, d], in an eighth of the time of w+; and whether Ctrl-C ended the search."""
        search = Search(self.model, None, "w", 1, BRUSH_STEPS, 0, weights)
        game, middle = require_styles(self.model.drawer), place.code.mean(0)
        away = place.code - middle
        search.generate = lambda w, _: game.synthesize(w[:, None] + away.to(w.device))
        found, _ = search.improve(middle[None], None, target, hold, watch)
        return (found - middle).expand(self.styles, -1), search.stopped

    def drag(
        self,
        place: Place,
        handles: Sequence[Point],
        targets: Sequence[Point],
        mask: npt.ArrayLike | None = None,
        *,
        watch: Callable[[Tensor, Tensor], object] | None = None,
    ) -> tuple[Step, Drag]:
        """The step that drags handles to targets, pixels (x, y); `mask` as of `drag.drag`. And how it went.

        Raises:
            UsageError: the model has no styles, or points that do not fit.
        """
        if not self.styles:
            raise UsageError("drag: this model has no styles; choose a model of a stylegan game")
        found = drag(self.model, Codes("w+", place.code[None]), handles, targets, mask, watch=watch)
        change = (found.codes[-1] - place.code).flatten().tolist()
        return Step(kind="shift", name="drag", change=tuple(change)), found


def replace_first(codes: Codes) -> Codes:
    """The first of several codes alone."""
    return Codes(codes.space, codes.codes[:1], None if codes.classes is None else codes.classes[:1], codes.names[:1])


def read_steps(values: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Steps as of JSON. Raises: UsageError: not a list of steps."""
    if not isinstance(values, list):
        raise UsageError("edits: expected a list of steps")
    return [from_dict(Step, value) for value in values]


def write_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Steps for JSON."""
    return [asdict(step) for step in steps]
