"""What the doctor examines: the log of a run, its data, and samples or outputs of its model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.core.capabilities import Bounds, Conditional, Couples, Samples, TakesInputs
from ganvas.core.game import Game
from ganvas.core.modality import IMAGES, POINTS, VOXELS, modality_of
from ganvas.data.dataset import Dataset
from ganvas.data.table import TableDataset
from ganvas.errors import DataError
from ganvas.evaluation.sample_sets import labels_of, read_rows, to_kept
from ganvas.games import RECIPES
from ganvas.inference.batches import sample_chunks
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, list_tasks, run_task
from ganvas.latents.seed_latents import latents
from ganvas.training.doctor_distance import Distance, find_astray, measure
from ganvas.training.doctor_finding import read_setting, restore
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run
from ganvas.utils.parsing import spell_count

SAMPLES = 500
SAMPLE_BYTES = 32 << 20  # of all samples that are examined: fewer of large images
PART = 0.5  # of the recipe's images: a run with fewer was short
FEWEST = 32  # samples, however large they are
ENOUGH_HELD_OUT = 200  # held-out reals: with fewer, the distance is to training samples
FLOORS = 3  # sets of other reals for the floor of the distance
EARLY = 100  # steps: before, no verdict about the samples is given
KNOWN = 5_000  # training points that samples are compared with one by one
ASTRAY = 0.5  # share of points that are far from all training points: more is not well
FAR = 0.12  # of the way from the floor to a trivial model: farther is not well
BLURRED = 0.8  # the same of a game with a bound, whose samples are blurred: a good VAE of digits is at 0.65


@dataclass
class Case:
    """What the checks use: the run, its log, samples of its model, and real samples."""

    run: Run
    game: Game | None  # of its bundle; None: there is none, or it cannot be read
    card: Mapping[str, Any] = field(default_factory=dict)  # of the bundle

    # The settings of the run, and those of its recipe as it comes with the package.

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run."""
        return self.run.recipe

    def read_setting(self, path: str, *, usual: bool = False) -> Any:
        """A setting by its dotted path; `usual`: as the recipe of this name has it. None: there is no such setting."""
        recipe = RECIPES.get(self.recipe.name) if usual else self.recipe
        return None if recipe is None else read_setting(recipe, path)

    def restore(self, *paths: str) -> str:
        """The flag that sets the first of some settings that differs from the recipe's back to it; "" if none differs."""
        return restore(self.recipe, paths)

    @property
    def items(self) -> int:
        """The number of images that the model was trained on."""
        return int(self.card.get("items", self.recipe.train.images))

    @property
    def too_early(self) -> bool:
        """Whether the run is too short for a verdict about its samples."""
        return self.items < EARLY * self.recipe.train.batch

    @property
    def short(self) -> bool:
        """Whether the model was trained on less than half of the images of its recipe."""
        usual = self.read_setting("train.images", usual=True)
        return bool(usual) and self.items < PART * usual

    # The log.

    @cached_property
    def rows(self) -> list[dict[str, float]]:
        """The rows of the log with means of steps."""
        path = self.run.folder / "log.jsonl"
        return [row for row in read_log(path) if "dropped" in row] if path.exists() else []

    def late(self, name: str) -> list[float]:
        """The values of a term or note in the last third of the log."""
        return [row[name] for row in self.rows[-max(1, len(self.rows) // 3) :] if name in row]

    def early(self, name: str) -> list[float]:
        """The same in the first third."""
        return [row[name] for row in self.rows[: max(1, len(self.rows) // 3)] if name in row]

    def mean(self, name: str) -> float | None:
        """The mean of a note in the last third."""
        values = self.late(name)
        return fmean(values) if values else None

    def highest(self, name: str) -> float | None:
        """The mean of a note in the last third; of a game with several discriminators the highest of them."""
        names = {key for row in self.rows for key in row if key == name or key.startswith(f"{name}_")}
        return max((mean for key in names if (mean := self.mean(key)) is not None), default=None)

    @property
    def wants_balance(self) -> bool:
        """Whether the discriminator should be about as strong as the generator, and not at its optimum."""
        rules = getattr(self.recipe.config, "rules", None)
        return rules is not None and not rules.scoring.wants_best_critic

    # The data.

    @cached_property
    def source(self) -> Dataset:
        """The data whose samples are examined: held-out inputs if there are enough, else training samples."""
        held_out = self.run.held_out
        if isinstance(self.game, TakesInputs) and held_out is not None and len(held_out) >= FEWEST:
            return held_out
        return self.run.data

    @cached_property
    def count(self) -> int:
        """The number of samples to examine: 500, or fewer if they are large."""
        facts = self.run.data.facts
        size = max(math.prod(shape) for shape in (facts.shape, *facts.shapes.values()))
        return min(SAMPLES, max(FEWEST, SAMPLE_BYTES // size))

    @cached_property
    def indices(self) -> Tensor:
        """The rows of `source` that are used: up to 500."""
        return torch.randperm(len(self.source), generator=torch.Generator().manual_seed(0))[: self.count]

    @cached_property
    def reals(self) -> Tensor:
        """Real samples as kept: bytes [N, C, H, W], points [N, D] or text [N, L]; of outputs, samples of the target field."""
        first = self.outputs[0] if self.outputs else None
        if first and first.truth is not None:
            return first.truth
        if first and first.task.target in self.source.modalities:
            return self.source.rows(self.indices)[first.task.target]
        return read_rows(self.source, self.indices)

    @cached_property
    def labels(self) -> Tensor | None:
        """The classes of `reals`, if the data has classes."""
        return labels_of(self.source, self.indices) if isinstance(self.source, TableDataset) else None

    @property
    def single(self) -> bool:
        """Whether there is only one real sample, which does not show how reals vary."""
        return len(self.reals) < 2

    # The samples.

    def draw(self, game: Game | None) -> Tensor | None:
        """Samples of a game, as kept, of the classes of the reference; None: it makes none, or they hold NaN."""
        if not isinstance(game, Samples):
            return None
        c = None
        if isinstance(game, Conditional):
            c = torch.arange(self.count) % game.classes if self.classes is None else self.classes
        samples = sample_chunks(game, latents(range(self.count), game.latent_dim), c, keep=_keep_finite)
        return samples if len(samples) == self.count else None

    @cached_property
    def fakes(self) -> Tensor | None:
        """As many samples of the model, as kept, or outputs of its first task, if they are images."""
        if self.outputs:
            output = self.outputs[0].output
            return output if modality_of(output, INPUT_MODALITIES) is IMAGES else None
        return self.draw(self.game)

    @cached_property
    def classes(self) -> Tensor | None:
        """The requested classes of the fakes [count]: those of random reals of the reference, repeated if there are fewer."""
        data, rows = self.reference
        labels = labels_of(data, rows) if isinstance(data, TableDataset) else None
        return None if labels is None else labels[torch.arange(self.count) % len(labels)]

    @property
    def conditional(self) -> bool:
        """Whether the game takes a class that says what is drawn."""
        return isinstance(self.game, Conditional) and not isinstance(self.game, Couples)

    @cached_property
    def results(self) -> tuple[Outputs | str, ...]:
        """Of a game that takes inputs the outputs of each task for the same rows, or why it has none."""
        found: list[Outputs | str] = []
        if not isinstance(self.game, TakesInputs):
            return ()
        for task in list_tasks(self.game):
            try:
                found.append(run_task(task, self.source, self.indices))
            except DataError as failure:  # NaN
                found.append(f"{task.title}: {failure}")
        return tuple(found)

    @property
    def outputs(self) -> tuple[Outputs, ...]:
        """The outputs of the tasks that have some."""
        return tuple(each for each in self.results if isinstance(each, Outputs))

    @property
    def has_images(self) -> bool:
        """Whether the samples are images."""
        return self.fakes is not None and modality_of(self.fakes) is IMAGES

    @property
    def has_solids(self) -> bool:
        """Whether the samples are voxels."""
        return self.fakes is not None and not isinstance(self.game, TakesInputs) and modality_of(self.fakes) is VOXELS

    # The distance.

    @cached_property
    def reference(self) -> tuple[Dataset, Tensor]:
        """The reals that samples are measured against: held-out ones if there are enough, else half of the training samples."""
        held_out, data = self.run.held_out, self.run.data
        if held_out is not None and len(held_out) >= ENOUGH_HELD_OUT:
            return held_out, torch.arange(min(len(held_out), self.count))
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(4))
        return data, order[: min(self.count, len(data) // 2)]

    def measure(self, fakes: Tensor | None) -> Distance | None:
        """The distance of samples to the reference; None: there are too few reals, or no samples from noise."""
        (data, rows), n = self.reference, len(self.reference[1])
        if fakes is None or isinstance(self.game, TakesInputs) or n < FEWEST:
            return None
        order = torch.randperm(len(self.run.data), generator=torch.Generator().manual_seed(4))
        rest = order[n if data is self.run.data else 0 :]
        if self.conditional and self.classes is not None and isinstance(self.run.data, TableDataset):
            # Of the same classes as the fakes: another mix of classes is a distance by itself.
            rest = _pick_classes(rest, labels_of(self.run.data, rest), self.classes[:n])
        others = [read_rows(self.run.data, part) for part in rest.split(n)[:FLOORS] if len(part) == n]
        if not others:
            return None
        alphabet = getattr(data, "alphabet", "")
        return measure(fakes[:n], read_rows(data, rows), others, self.recipe.data.source, alphabet)

    @cached_property
    def distance(self) -> Distance | None:
        """The distance of the model's samples."""
        return self.measure(self.fakes)

    @cached_property
    def astray(self) -> float:
        """Of points: the share of the samples that are farther from the data than nearly all reals; else 0."""
        if self.fakes is None or modality_of(self.fakes) is not POINTS or self.distance is None:
            return 0.0
        data, rows = self.reference
        known = torch.randperm(len(self.run.data), generator=torch.Generator().manual_seed(8))[:KNOWN]
        return find_astray(self.fakes, read_rows(data, rows), read_rows(self.run.data, known))

    @property
    def missing_distance(self) -> str:
        """Why there is no distance."""
        if self.fakes is None:
            return "the samples are not finite" if isinstance(self.game, Samples) else "the model makes no samples from noise"
        few, unit = 2 * FEWEST, self.run.data.modality.unit
        if len(self.run.data) < few:
            return f"the run trains on {spell_count(len(self.run.data), unit)}; expected at least {few}"
        return "too few of the training data are left for a second set of reals of the same classes"

    @property
    def far(self) -> bool:
        """Whether the samples are far from the data, or nobody knows."""
        limit = BLURRED if isinstance(self.game, Bounds) else FAR
        return self.distance is None or self.distance.share > limit or self.astray > ASTRAY


def _pick_classes(rows: Tensor, labels: Tensor | None, wanted: Tensor) -> Tensor:
    """Sets of rows, one after the other, each with the classes `wanted` [n] in this order; as many as there are rows for."""
    if labels is None:
        return rows
    of_class = {int(c): rows[labels == c] for c in wanted.unique()}
    need = {c: int((wanted == c).sum()) for c in of_class}
    sets = max(1, min(FLOORS, *(len(of_class[c]) // need[c] for c in need)))
    found = torch.empty(sets, len(wanted), dtype=torch.int64)
    for c, mine in of_class.items():
        if not len(mine):
            return rows
        found[:, wanted == c] = mine[torch.arange(sets * need[c]) % len(mine)].view(sets, -1)
    return found.flatten()


def _keep_finite(samples: Tensor) -> Tensor:
    """Samples as kept, without those that are not finite."""
    if samples.is_floating_point():
        samples = samples[samples.flatten(1).isfinite().all(1)]
    return to_kept(samples)
