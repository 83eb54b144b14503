"""Classification by a model: by itself, by a classifier trained on its samples, and out-of-distribution detection.

A generative model classifies by Bayes' rule, P(class | x) = P(x | class) P(class) / P(x). P(x) tells whether x is from the
training distribution.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.core.capabilities import Bounds, Classifies, Conditional, Judges, Samples
from ganvas.core.game import Game
from ganvas.core.modality import modality_of
from ganvas.data.table import TableDataset
from ganvas.evaluation import classification_accuracy
from ganvas.evaluation.measures import Measurement
from ganvas.evaluation.sample_sets import fake_sample_set
from ganvas.inference import model_file
from ganvas.inference.model import Model
from ganvas.metrics.confidence import wilson
from ganvas.runtime import placement

FALSE_ALARMS = 0.05  # share of in-distribution images below the threshold of the detection


@torch.no_grad()
def score_classes(game: Game, x: Tensor, chunk: int = 500) -> Tensor | None:
    """x [N, ...] as the game takes it or as bytes -> a score of each class [N, classes]; None: the game has no scores.

    The scores are log-probabilities of the class (a classifier), bounds on log P(x | class) (a VAE), or the logit of a
    discriminator for x with each class. A discriminator that was not loaded is read from the file beside the bundle.

    Raises:
        DataError: it is not there, or it is damaged.
    """
    if isinstance(game, Judges) and isinstance(game, Conditional):
        model_file.load_discriminator(game)

    def of(part: Tensor) -> Tensor | None:
        if part.dtype == torch.uint8:  # chunk by chunk: a whole test split as floats takes four times its memory
            part = modality_of(part).normalize(part)
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


def detection_rate(known: Tensor, strange: Tensor) -> float:
    """Out-of-distribution detection, from the highest score of each sample: known [N], strange [M].

    The share of strange samples below the 5 % quantile of the known ones. 1: all are detected; 0.05: none differs.
    """
    return float((strange < known.quantile(FALSE_ALARMS)).double().mean())


def measure_classification(
    model: Model, train: TableDataset, test: TableDataset, strange: TableDataset | None, shown: int, seed: int
) -> dict[str, Measurement]:
    """The classification accuracy of a model on `test`, for each way in which it can classify.

    `named`: accuracy of the model itself. `noticed`: detection rate of images of other data, with 5 % false alarms. `taught`:
    accuracy of a classifier that is trained only on samples of the model, `shown` images.
    """
    batch, n = test.rows(torch.arange(len(test))), len(test)
    found: dict[str, Measurement] = {}

    def share(name: str, value: float, count: int) -> None:
        found[name] = Measurement(value, wilson(value, count), None, count, "none")

    if (known := score_classes(model.game, batch["real"])) is not None:
        share("named", float((known.argmax(1) == batch["label"]).double().mean()), n)
        if strange is not None:
            fits = score_classes(model.game, strange.rows(torch.arange(len(strange)))["real"])
            if fits is not None:
                share("noticed", detection_rate(known.amax(1), fits.amax(1)), len(strange))
    if model.classes and isinstance(model.game, Samples):
        labels = train.fields["label"][:shown]
        side = fake_sample_set(model, len(labels), seed, labels)
        share(
            "taught",
            classification_accuracy.classification_accuracy_score(side.data, labels, test, seed, shown, str(model.device)),
            n,
        )
    return found
