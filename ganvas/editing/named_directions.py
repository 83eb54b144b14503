"""Directions of a model by name: an axis of z, the strongest of its weights, the principal ones of w, from class to class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganvas.core.capabilities import Conditional, Projects, Styled, require_pictures
from ganvas.errors import UsageError, unknown_name
from ganvas.inference.feature_extractors import Extractor, choose_extractor, load_extractor
from ganvas.inference.latent_space import Space, require_styles
from ganvas.inference.model import Model
from ganvas.latents.directions import Directions, class_difference, principal_directions, spread_along, strongest_directions
from ganvas.media.image_files import to_bytes

CODES = 10_000  # in which principal directions are sought
JUDGED = 2_000  # samples shown to a classifier, which costs more
FEW = 20  # samples of a class, below which their mean says little
KINDS = ("axis", "sefa", "pca", "class")


@dataclass(frozen=True)
class Direction:
    """One of a model's directions.

    `vector` [d] has length 1; `sd` is the standard deviation of the model's own codes along it, the unit of a traversal;
    `share` is what it accounts for: of the codes' variance (pca), of the squared change by the first layers (sefa).
    """

    name: str
    vector: Tensor
    sd: float
    share: float | None = None

    def __str__(self) -> str:
        meaning = {"pca": "of the variance of w", "sefa": "of what the weights answer to"}
        return self.name if self.share is None else f"{self.name} ({self.share:.1%} {meaning[self.name.partition(':')[0]]})"


def directions(model: Model, space: Space, names: Sequence[str], *, judge: str | None = None) -> list[Direction]:
    """The directions called axis:3, sefa:0, pca:0-4 or class:7-1 (towards 7, away from 1), with a range for several.

    Classes are what a conditional stylegan model was asked for; elsewhere what a classifier takes its samples for: `judge`,
    a name as of `ganvas eval --extractor`, by default the one for the model's data.

    Raises:
        UsageError: no such direction, or not in this model, or a model of text.
    """
    require_pictures(model.game)
    if not names:
        raise UsageError("directions: expected at least one, such as sefa:0")
    codes, found = _Codes(model, space, judge), []
    for name in names:
        kind, colon, which = name.partition(":")
        if kind not in KINDS or not colon:
            raise UsageError(f"direction: expected axis:3, sefa:0, pca:0-4 or class:7-1, got {name!r}")
        found += [codes.between(which)] if kind == "class" else [codes.numbered(kind, i) for i in _numbers(name, which)]
    return found


def separates(model: Model) -> list[str]:
    """The classes between which directions can be found: the model's own in w, else those of the classifier of its data."""
    if isinstance(model.drawer, Conditional):
        return list(model.classes) if isinstance(model.drawer, Styled) else []
    judge = choose_extractor(str(model.card["recipe"]["data"]["source"]), model.shape[0], model.device)
    return list(judge.classes) if judge is not None and judge.classify is not None else []


class _Codes:
    """What the directions of one model are found from, each part computed when it is first needed."""

    def __init__(self, model: Model, space: Space, judge: str | None) -> None:
        self.model, self.space, self.judge = model, space, judge
        self.tables: dict[str, Directions] = {}
        self.cloud: Tensor | None = None

    def numbered(self, kind: str, index: int) -> Direction:
        """Direction `index` of a kind that counts them."""
        if kind not in self.tables:
            self.tables[kind] = {"axis": self.axes, "sefa": self.sefa, "pca": self.pca}[kind]()
        table = self.tables[kind]
        if not index < len(table.vectors):
            raise UsageError(f"{kind}:{index}: this model has {kind}:0 to {kind}:{len(table.vectors) - 1}")
        share = None if kind == "axis" else float(table.shares[index])
        return self.scaled(Direction(f"{kind}:{index}", table.vectors[index], 1.0, share))

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
        return principal_directions(self.points())

    def points(self) -> Tensor:
        """Codes [10,000, d] of seeds 0, 1, ..., of all classes in turn."""
        if self.cloud is None:
            self.cloud = self.space.of_seeds(range(CODES), self.model.classes_in_turn(None, CODES))
        return self.cloud

    def scaled(self, direction: Direction) -> Direction:
        """With the spread of the model's codes: 1 in z, which is standard normal."""
        return replace(direction, sd=spread_along(self.points(), direction.vector)) if self.space.flat else direction

    def between(self, which: str) -> Direction:
        """From class to class."""
        conditional = isinstance(self.model.game, Conditional)
        if conditional and not self.space.flat:
            raise UsageError("class: this model is asked for its class, z has none; morph with interpolate --label 1,7")
        if conditional:
            towards, away = _pair(which, self.model.classes)
            labels = torch.arange(CODES) % len(self.model.classes)  # as its points
            return self.scaled(Direction(f"class:{which}", class_difference(self.points(), labels, towards, away), 1.0))
        classifier = self.classifier()
        towards, away = _pair(which, classifier.classes)
        codes = self.space.of_seeds(range(JUDGED), None)
        labels = classifier.logits(to_bytes(self.space.pictures(codes, None))).argmax(1)
        for name in (towards, away):
            if (count := int((labels == name).sum())) < FEW:
                found = f"{classifier.name} takes {count} of {JUDGED:,} samples for {classifier.classes[name]!r}"
                raise UsageError(f"class: {found}, expected at least {FEW}; choose another class, or train longer")
        return self.scaled(Direction(f"class:{which}", class_difference(codes, labels, towards, away), 1.0))

    def classifier(self) -> Extractor:
        recipe, shape = self.model.card["recipe"], self.model.shape
        device = self.model.device
        found = (
            load_extractor(self.judge, device)
            if self.judge
            else choose_extractor(str(recipe["data"]["source"]), shape[0], device)
        )
        if found is None or found.classify is None:
            raise UsageError(
                "class: nothing here names the classes of samples; give --judge digits, clothes or a classifier's run"
            )
        return found


def _numbers(name: str, which: str) -> range:
    first, dash, last = which.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()) or int(last or first) < int(first):
        raise UsageError(f"direction: expected a number or a range such as sefa:0-4, got {name!r}")
    return range(int(first), int(last or first) + 1)


def _pair(which: str, classes: Sequence[str]) -> tuple[int, int]:
    """The numbers of two classes spelt A-B, each a name or a number; names may hold dashes."""

    def number(word: str) -> int | None:
        if word in classes:
            return classes.index(word)
        return int(word) if word.isdigit() and int(word) < len(classes) else None

    parts = which.split("-")
    for cut in range(1, len(parts)):
        towards, away = number("-".join(parts[:cut])), number("-".join(parts[cut:]))
        if towards is not None and away is not None:
            return towards, away
    for word in (parts[0], parts[-1]):
        if len(parts) == 2 and number(word) is None:
            raise unknown_name("class", word, classes)
    raise UsageError(f"class: expected two classes such as class:7-1, got {which!r} (known: {', '.join(classes)})")
