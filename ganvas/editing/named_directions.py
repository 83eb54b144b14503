"""Directions of the latent space by name: an axis of z, SeFa, principal components of w (GANSpace), from class to class.

axis:3, sefa:0, pca:0-4, class:7-1. The mathematics is in `ganvas/latents/directions.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganvas.core.capabilities import Conditional, Projects, Styled, require_pictures
from ganvas.errors import UsageError, unknown_name
from ganvas.inference.class_names import find_class, match_class
from ganvas.inference.feature_extractors import Extractor, choose_extractor, load_extractor
from ganvas.inference.latent_space import Space, require_styles
from ganvas.inference.model import Model
from ganvas.latents.directions import Directions, class_difference, principal_directions, spread_along, strongest_directions
from ganvas.media.image_files import to_bytes
from ganvas.utils.parsing import parse_index

CODES = 10_000  # codes w for principal components, class means and standard deviations
CLASSIFIED = 2_000  # samples for class directions of a classifier, which costs more
FEWEST_OF_CLASS = 20  # samples of a class: the mean of fewer is too uncertain
DIRECTION_KINDS = ("axis", "sefa", "pca", "class")


@dataclass(frozen=True)
class Direction:
    """One direction of a model's latent space.

    `vector` [d] has length 1. `sd` is the standard deviation of the model's own codes along it, the unit of a traversal.
    `share` is its share of the variance of the codes (pca), or of the squared change by the first layers (sefa).
    """

    name: str
    vector: Tensor
    sd: float
    share: float | None = None

    def __str__(self) -> str:
        meaning = {"pca": "of the variance of w", "sefa": "of the effect of the first layers"}
        return self.name if self.share is None else f"{self.name} ({self.share:.1%} {meaning[self.name.partition(':')[0]]})"


def directions(model: Model, space: Space, names: Sequence[str], *, judge: str | None = None) -> list[Direction]:
    """The directions called axis:3, sefa:0, pca:0-4 or class:7-1 (towards 7, away from 1); a range gives several.

    The classes of a conditional stylegan model are its own. For other models a classifier names the classes of samples:
    `judge`, a name as of `ganvas eval --extractor`, by default the classifier of the model's data.

    Raises:
        UsageError: no such direction, one that this model does not have, or a model of text.
    """
    require_pictures(model.game)
    if not names:
        raise UsageError("directions: expected at least one, such as sefa:0")
    codes, found = _Codes(model, space, judge), []
    for name in names:
        kind, colon, which = name.partition(":")
        if kind not in DIRECTION_KINDS or not colon:
            raise UsageError(f"direction: expected axis:3, sefa:0, pca:0-4 or class:7-1, got {name!r}")
        if kind == "class":
            found.append(codes.find_between(which))
        else:
            found += [codes.find_numbered(kind, i) for i in _parse_range(name, which)]
    return found


def separable_classes(model: Model) -> list[str]:
    """The classes that class:A-B may name: the model's own in w, else those of the classifier of its data."""
    if isinstance(model.drawer, Conditional):
        return list(model.classes) if isinstance(model.drawer, Styled) else []
    judge = choose_extractor(str(model.card["recipe"]["data"]["source"]), model.shape[0], model.device)
    return list(judge.classes) if judge is not None and judge.classify is not None else []


class _Codes:
    """The codes of one model, and the tables of its directions; each part is computed at its first use."""

    def __init__(self, model: Model, space: Space, judge: str | None) -> None:
        self.model, self.space, self.judge = model, space, judge
        self.tables: dict[str, Directions] = {}
        self.cloud: Tensor | None = None

    def find_numbered(self, kind: str, index: int) -> Direction:
        """Direction `index` of the kind axis, sefa or pca."""
        if kind not in self.tables:
            self.tables[kind] = {"axis": self.axes, "sefa": self.sefa, "pca": self.pca}[kind]()
        table = self.tables[kind]
        if not index < len(table.vectors):
            raise UsageError(f"{kind}:{index}: this model has {kind}:0 to {kind}:{len(table.vectors) - 1}")
        share = None if kind == "axis" else float(table.shares[index])
        return self.scale(Direction(f"{kind}:{index}", table.vectors[index], 1.0, share))

    def axes(self) -> Directions:
        size = self.model.drawer.latent_dim
        return Directions(torch.eye(size, dtype=torch.float64), torch.full((size,), 1 / size, dtype=torch.float64))

    def sefa(self) -> Directions:
        if self.space.flat:
            return strongest_directions(require_styles(self.model.drawer).style_weights())
        if not isinstance(self.model.game, Projects):
            w = ", or stay in w" if isinstance(self.model.game, Styled) else ""
            raise UsageError(f"sefa: in z, this model has no matrix to read directions from; try axis:0{w}")
        return strongest_directions([self.model.game.projection()])

    def pca(self) -> Directions:
        if not self.space.flat:
            raise UsageError("pca: z varies alike in all directions, only w does not; use sefa:0, or a stylegan model in w")
        return principal_directions(self.draw_codes())

    def draw_codes(self) -> Tensor:
        """Codes [10,000, d] of seeds 0, 1, ..., all classes in turn."""
        if self.cloud is None:
            self.cloud = self.space.of_seeds(range(CODES), self.model.classes_in_turn(None, CODES))
        return self.cloud

    def scale(self, direction: Direction) -> Direction:
        """The direction with the standard deviation of the model's codes: 1 in z, which is standard normal."""
        return replace(direction, sd=spread_along(self.draw_codes(), direction.vector)) if self.space.flat else direction

    def find_between(self, which: str) -> Direction:
        """The direction class:A-B, from the mean code of B to that of A."""
        conditional = isinstance(self.model.game, Conditional)
        if conditional and not self.space.flat:
            raise UsageError("class: this model takes its class beside z, so z has none; use interpolate --label 1,7")
        if conditional:
            towards, away = _parse_classes(which, self.model.classes)
            labels = torch.arange(CODES) % len(self.model.classes)  # as in `draw_codes`
            return self.scale(Direction(f"class:{which}", class_difference(self.draw_codes(), labels, towards, away), 1.0))
        classifier = self.load_classifier()
        towards, away = _parse_classes(which, classifier.classes)
        codes = self.space.of_seeds(range(CLASSIFIED), None)
        labels = classifier.logits(to_bytes(self.space.pictures(codes, None))).argmax(1)
        for name in (towards, away):
            if (count := int((labels == name).sum())) < FEWEST_OF_CLASS:
                found = f"{classifier.name} takes {count} of {CLASSIFIED:,} samples for {classifier.classes[name]!r}"
                raise UsageError(f"class: {found}, expected at least {FEWEST_OF_CLASS}; choose another class, or train longer")
        return self.scale(Direction(f"class:{which}", class_difference(codes, labels, towards, away), 1.0))

    def load_classifier(self) -> Extractor:
        recipe, shape = self.model.card["recipe"], self.model.shape
        device = self.model.device
        found = (
            load_extractor(self.judge, device)
            if self.judge
            else choose_extractor(str(recipe["data"]["source"]), shape[0], device)
        )
        if found is None or found.classify is None:
            raise UsageError("class: no classifier for this model's data; give --judge digits, clothes or a classifier's run")
        return found


def _parse_range(name: str, which: str) -> range:
    first, dash, last = which.partition("-")
    low, high = parse_index(first), parse_index(last if dash else first)
    if low is None or high is None or high < low:
        raise UsageError(f"direction: expected a number or a range such as sefa:0-4, got {name!r}")
    return range(low, high + 1)


def _parse_classes(which: str, classes: Sequence[str]) -> tuple[int, int]:
    """A-B -> the numbers of the two classes. Each is a name or a number; a name may contain dashes."""

    parts = which.split("-")
    for cut in range(1, len(parts)):
        names = "-".join(parts[:cut]), "-".join(parts[cut:])
        if all(match_class(name, classes)[0] is not None for name in names):
            return find_class(names[0], classes), find_class(names[1], classes)
    for word in (parts[0], parts[-1]):
        if len(parts) == 2 and match_class(word, classes)[0] is None:
            raise unknown_name("class", word, classes)
    raise UsageError(f"class: expected two classes such as class:7-1, got {which!r} (known: {', '.join(classes)})")
