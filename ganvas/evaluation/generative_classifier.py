"""A model as one that names classes: by itself, as a teacher of another, and before what belongs to no class.

A generative model names a class by Bayes' rule, P(class | x) = P(x | class) P(class) / P(x), and P(x) says whether x is
known at all.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.core.capabilities import Bounds, Classifies, Conditional, Judges, Samples
from ganvas.core.game import Game
from ganvas.data.table import TableDataset
from ganvas.evaluation import classification_accuracy
from ganvas.evaluation.measures import Measurement
from ganvas.evaluation.sample_sets import fake_sample_set
from ganvas.inference.model import Model
from ganvas.metrics.confidence import wilson
from ganvas.runtime import placement

TURNED_AWAY = 0.05  # of the known pictures, by the threshold that strangers are measured at


@torch.no_grad()
def scores(game: Game, x: Tensor, chunk: int = 500) -> Tensor | None:
    """x [N, ...] as the game takes it -> how much each class fits it [N, classes]; None: the game cannot say.

    Log-probabilities of the class where it is discriminative, bounds on log P(x | class), or a discriminator's logit of x
    as one of each class.
    """

    def of(part: Tensor) -> Tensor | None:
        if isinstance(game, Classifies):
            logits = game.classify(part)
            return logits if isinstance(game, Bounds) else logits.log_softmax(1)
        if isinstance(game, Judges) and isinstance(game, Conditional):
            every = [game.judge(part, torch.full((len(part),), c, device=part.device)) for c in range(game.classes)]
            return torch.stack(every, 1)
        return None

    device = placement.device_of(game)
    found = [None if (each := of(part.to(device))) is None else placement.to_cpu(each).double() for part in x.split(chunk)]
    return torch.cat([each for each in found if each is not None]) if found[0] is not None else None


def strangers_noticed(known: Tensor, strange: Tensor) -> float:
    """Out-of-distribution detection: the share of unknown samples below the 5 % quantile of the known ones: best fits [N], [M].

    1: every stranger is noticed; 0.05: strangers fit as well as what is known.
    """
    return float((strange < known.quantile(TURNED_AWAY)).double().mean())


def naming(
    model: Model, train: TableDataset, test: TableDataset, strange: TableDataset | None, shown: int, seed: int
) -> dict[str, Measurement]:
    """The classification accuracy of a model on `test`, for each way in which it can classify.

    `named`: the share it names right itself. `noticed`: strangers told from the known, where one in twenty of these is
    turned away. `taught`: the share that a classifier names right which saw only what the model draws, `shown` pictures.
    """
    batch, n = test.samples(torch.arange(len(test))), len(test)
    found: dict[str, Measurement] = {}

    def share(name: str, value: float, count: int) -> None:
        found[name] = Measurement(value, wilson(value, count), None, count, "none")

    if (known := scores(model.game, batch["real"])) is not None:
        share("named", float((known.argmax(1) == batch["label"]).double().mean()), n)
        if strange is not None:
            fits = scores(model.game, strange.samples(torch.arange(len(strange)))["real"])
            if fits is not None:
                share("noticed", strangers_noticed(known.amax(1), fits.amax(1)), len(strange))
    if model.classes and isinstance(model.game, Samples):
        asked = train.fields["label"][:shown]
        side = fake_sample_set(model, len(asked), seed, asked)
        share(
            "taught",
            classification_accuracy.classification_accuracy_score(side.data, asked, test, seed, shown, str(model.device)),
            n,
        )
    return found
