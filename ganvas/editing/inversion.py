"""Inversion: the code whose picture is nearest to a given picture, found through the generator.

The codes are short and the pictures are long, so this is a least-squares problem for the method of Levenberg and Marquardt: a
step of it is worth hundreds of steps of gradient descent. Its Jacobian comes from pictures of codes that are nudged along each
axis, so the generator need not be differentiable. The error has many local minima, so a search starts several times, from the
nearest of some hundred samples, or where the encoder says if the model has one; the worse half of the starts is given up again
and again. z stays within the ball where the noise of the training was. Where pictures are not so cheap, in the styles of a
StyleGAN and above 32 pixels, the search goes by gradients: `gradient_search.py`.
Source: arXiv:1609.03552 sec. 3.1 (inversion by optimization); arXiv:1912.04958 sec. 5 (in w);
doi:10.1137/0111030 (Marquardt).
Differs: the distance is that of pixels, not of features of a trained network; starts are samples, not the mean of w.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.core.capabilities import Styled
from ganvas.editing.code_search import RESTARTS, SMALL, STEPS, Search
from ganvas.editing.gradient_search import GradientSearch
from ganvas.editing.search_ends import Watch
from ganvas.errors import UsageError
from ganvas.inference.encoding import as_samples
from ganvas.inference.loaded_game import Label, LoadedGame


@dataclass(frozen=True)
class Inversion:
    """Codes [N, d] in `space`, z or w, or [N, styles, d] in w+; their classes [N] if the game has any, and their pictures.

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
    weights: Tensor | None = None,
) -> Inversion:
    """The codes of pictures, uint8 [N, H, W, C] or a tensor [N, C, H, W] in [-1, 1].

    Each is searched from `restarts` starts with at most `steps` steps. `where` is z, w or w+; None: w if the model has it.
    `label`: the classes that are tried, by default all. The starts are among the samples of `seed` and the seeds after it.
    Where `watch` returns False, the best code so far is the result of this picture; Ctrl-C ends the whole search, with the
    best codes so far. `weights` [H, W], at least 0, say how much each pixel counts; None: all alike.

    Raises:
        UsageError: the model does not make pictures of this shape from noise; no such space or class; a wrong count or weight.
    """
    search = _choose_search(model, label, where, restarts, steps, seed, weights)
    targets = _read_targets(model, targets)
    found: list[tuple[Tensor, Tensor]] = []
    for target in targets:
        if not search.stopped:
            found.append(search.find(target, watch))
    targets = targets[: len(found)]
    codes = torch.stack([code for code, _ in found])
    c = torch.stack([c for _, c in found]) if model.classes else None
    return _describe(search, codes, c, targets)


def refine(
    model: LoadedGame,
    start: Inversion,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    hold: float = 0.0,
    steps: int = STEPS,
    watch: Watch | None = None,
) -> Inversion:
    """The code near that of `start`, a single one, whose picture is nearest to `target` [1, C, H, W], in the same space.

    `weights` as of `invert`; with `hold` the code stays near its start: this is the weight of its squared distance, in standard
    deviations of the model's codes, beside the mean squared error. Source: arXiv:1609.03552 eq. 4 (edits as constraints).

    Raises:
        UsageError: several codes, a target of another shape, or a wrong count or weight.
    """
    target = _read_targets(model, target)
    if len(start.codes) != 1 or len(target) != 1:
        raise UsageError(f"refine: expected one code and one target, got {len(start.codes)} and {len(target)}")
    search = _choose_search(model, None, start.space, 1, steps, 0, weights)
    code, c = search.improve(start.codes, start.classes, target[0], hold, watch)
    return _describe(search, code[None], None if start.classes is None else c[None], target)


def _choose_search(model: LoadedGame, label: Label, where: str | None, *given: Any) -> Search:
    """The search that is quicker: a Jacobian is cheap for small pictures of z."""
    by_gradient = where in ("w", "w+") or (where is None and isinstance(model.drawer, Styled)) or model.shape[-1] > SMALL
    return (GradientSearch if by_gradient else Search)(model, label, where, *given)


def _describe(search: Search, codes: Tensor, c: Tensor | None, targets: Tensor) -> Inversion:
    pictures = search.space.pictures(codes, c).clamp(-1, 1)  # as they are stored
    return Inversion(search.name, codes, c, pictures, search.measure(pictures, targets), search.stopped)


def _read_targets(model: LoadedGame, targets: Tensor | npt.ArrayLike) -> Tensor:
    targets = targets if isinstance(targets, Tensor) else as_samples(targets, model.shape)
    if targets.shape[1:] != model.shape or not len(targets):
        expected = ", ".join(map(str, model.shape))
        raise UsageError(f"targets: expected shape [n, {expected}] with n at least 1, got {list(targets.shape)}")
    return targets.clamp(-1, 1)  # what a generator makes beyond black and white cannot be stored
