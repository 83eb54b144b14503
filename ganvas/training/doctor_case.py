"""What the doctor examines: the log of a run, its data, and samples or outputs of its model; and a finding."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import fmean

import torch
from torch import Tensor

from ganvas.core.capabilities import Conditional, Samples, TakesInputs
from ganvas.core.game import Game
from ganvas.core.modality import CLIPS, IMAGES, modality_of
from ganvas.data.dataset import Dataset
from ganvas.errors import DataError
from ganvas.evaluation.sample_sets import read_rows, to_kept
from ganvas.inference.batches import sample_chunks
from ganvas.inference.inputs import KINDS, Outputs, list_tasks, run_task
from ganvas.latents.seed_latents import latents
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run

SAMPLES = 500
SAMPLE_BYTES = 32 << 20  # of all samples that are examined: fewer of large images
FEWEST = 32  # samples, however large they are


@dataclass(frozen=True)
class Finding:
    """One problem."""

    name: str  # a key of CHECKS
    evidence: str
    advice: str  # one flag to try

    def text(self) -> str:
        """One line for the user."""
        return f"{self.name}: {self.evidence}; try {self.advice}"

    def to_dict(self) -> dict[str, str]:
        """For --json."""
        return asdict(self)


@dataclass
class Case:
    """What the checks use: the run, its log, samples of its model, and real samples."""

    run: Run
    game: Game | None  # of its bundle; None: it cannot be read

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
        rules = getattr(self.run.recipe.config, "rules", None)
        return rules is not None and not rules.scoring.wants_best_critic

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

    @property
    def single(self) -> bool:
        """Whether there is only one real sample, which does not show how reals vary."""
        return len(self.reals) < 2

    @cached_property
    def fakes(self) -> Tensor | None:
        """As many samples of the model, as kept: of all classes in turn, or outputs of its first task, if they are images."""
        if self.outputs:
            output = self.outputs[0].output
            return output if modality_of(output, KINDS) is IMAGES else None
        if not isinstance(self.game, Samples):
            return None
        c = torch.arange(self.count) % self.game.classes if isinstance(self.game, Conditional) else None
        return sample_chunks(self.game, latents(range(self.count), self.game.latent_dim), c, keep=to_kept)

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
                found.append(f"{task.name}: {failure}")
        return tuple(found)

    @property
    def outputs(self) -> tuple[Outputs, ...]:
        """The outputs of the tasks that have some."""
        return tuple(each for each in self.results if isinstance(each, Outputs))

    @property
    def has_images(self) -> bool:
        """Whether the samples are images."""
        return self.fakes is not None and modality_of(self.fakes) is IMAGES

    def list_unchecked(self) -> tuple[str, ...]:
        """What no check examined, one line each."""
        if self.game is None:
            return ("samples of the model (it cannot be read)",)
        if not isinstance(self.game, TakesInputs):
            return ()
        lines = ["memorization (the outputs belong to held-out inputs)"]
        if self.source is not self.run.held_out:
            lines = ["memorization, and inputs that it was not trained on (too few are held out)"]
        for outputs in self.outputs:
            name = outputs.task.name
            if outputs.task.may_copy:
                lines.append(f"{name}: whether the missing pixels depend on the others")
            elif outputs.output.shape != input_like(outputs).shape:
                lines.append(f"{name}: whether it copies its input (the sizes differ)")
        if not self.has_images:
            lines.append("statistics of outputs against reals (the outputs are no images)")
        elif len(self.outputs) > 1:
            lines.append(f"statistics of outputs against reals, except of {self.outputs[0].task.name}")
        return tuple(lines)


def input_like(outputs: Outputs) -> Tensor:
    """The first input; of a clip made from an image, the image in every frame."""
    shown, output = next(iter(outputs.inputs.values())), outputs.output
    if modality_of(output, KINDS) is CLIPS and modality_of(shown, KINDS) is IMAGES:
        return shown[:, None].expand(-1, output.shape[1], -1, -1, -1)
    return shown
