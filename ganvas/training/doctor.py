"""Find problems of a run. Each finding has its evidence in numbers and one flag to try.

A check looks at the log (the last third of it, where not said otherwise), at samples of the model and at the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, median

import torch
from torch import Tensor

from ganvas.core.capabilities import Bounds, Conditional, Samples
from ganvas.core.game import Game
from ganvas.core.modality import IMAGES, modality_of
from ganvas.data.builtin.point_sets import MODES
from ganvas.errors import GanvasError
from ganvas.evaluation.sample_sets import read_rows, to_kept
from ganvas.inference import model_file
from ganvas.inference.batches import sample_chunks
from ganvas.latents.seed_latents import latents
from ganvas.metrics.memorization import memorization
from ganvas.runtime.device import find_device
from ganvas.training.artifacts import border, grey_levels, grid
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run, open_run

SAMPLES = 500
SAMPLE_BYTES = 32 << 20  # of the samples that are looked at, as bytes: fewer of large images
FEWEST = 32  # samples, however large they are
TRAIN_BYTES = 64 << 20  # of the training images that are searched for copies: a random part of a larger set


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong."""

    name: str  # a key of CHECKS
    evidence: str
    advice: str  # one flag to try

    def text(self) -> str:
        """For people."""
        return f"{self.name}: {self.evidence}; try {self.advice}"

    def to_dict(self) -> dict[str, str]:
        """For --json."""
        return asdict(self)


@dataclass
class Case:
    """A run as the doctor sees it."""

    run: Run
    game: Game | None  # of its bundle

    @cached_property
    def rows(self) -> list[dict[str, float]]:
        """The rows of the log that hold means of steps."""
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

    @property
    def levelled(self) -> bool:
        """Whether the discriminator should be about as strong as the generator, and not at its optimum."""
        rules = getattr(self.run.recipe.config, "rules", None)
        return rules is not None and not rules.scoring.wants_best_critic

    @cached_property
    def count(self) -> int:
        """How many samples are looked at: 500, or fewer where they are large."""
        return min(SAMPLES, max(FEWEST, SAMPLE_BYTES // self.run.data.table[0].numel()))

    @cached_property
    def reals(self) -> Tensor:
        """Up to 500 training samples as they are kept: bytes [N, C, H, W], points [N, D] or text [N, L]."""
        rows = torch.randperm(len(self.run.data), generator=torch.Generator().manual_seed(0))[: self.count]
        return read_rows(self.run.data, rows)

    @property
    def alone(self) -> bool:
        """Whether there is but one real, which says nothing of how reals differ."""
        return len(self.reals) < 2

    @cached_property
    def fakes(self) -> Tensor | None:
        """As many samples of the model, every class in turn, as data is kept."""
        if not isinstance(self.game, Samples):
            return None
        c = torch.arange(self.count) % self.game.classes if isinstance(self.game, Conditional) else None
        return sample_chunks(self.game, latents(range(self.count), self.game.latent_dim), c, keep=to_kept)

    @property
    def pictured(self) -> bool:
        """Whether the model draws images."""
        return self.fakes is not None and modality_of(self.fakes) is IMAGES


def not_finite(case: Case) -> Finding | None:
    """Steps that were left out, or roll-backs."""
    dropped = max((int(row["dropped"]) for row in case.rows), default=0)
    back = case.run.folder / "rollbacks.json"
    times = len(json.loads(back.read_text(encoding="utf-8"))) if back.exists() else 0
    if not dropped and not times:
        return None
    rate = case.run.recipe.train.learning_rate
    evidence = f"{dropped} steps were left out because a loss was not finite, and the run went back {times} times"
    return Finding("non-finite values", evidence, f"--set train.learning_rate={rate / 10:g}")


def discriminator_overpowers(case: Case) -> Finding | None:
    """The discriminator is nearly always right."""
    skill = case.mean("skill")
    if not case.levelled or skill is None or skill < 0.96:
        return None
    evidence = f"the discriminator is right about {skill:.0%} of reals and fakes; one so sure teaches the generator little"
    if case.run.recipe.train.balance != "auto":
        return Finding("discriminator overpowers", evidence, "--balance auto")
    return Finding("discriminator overpowers", evidence, "--set train.rates.D=0.25")


def discriminator_too_weak(case: Case) -> Finding | None:
    """The discriminator cannot separate fakes from reals, though simple statistics can."""
    skill, variety = case.mean("skill"), case.mean("variety")
    if not case.levelled or skill is None or skill > 0.6 or case.fakes is None or case.alone:
        return None
    apart = _apart(case.fakes, case.reals)
    if apart < 4:
        return None
    evidence = (
        f"the discriminator is right {skill:.0%} of the time, yet plain means of fakes and reals are {apart:.0f} times as far "
    )
    evidence += f"apart as chance makes them (variety {variety or 0:.2f} of the reals')"
    config = case.run.recipe.config
    name = "critic_width" if hasattr(config, "critic_width") else "width"
    width: int = (getattr(config, name, None) or getattr(config, "width", None)) or 64
    # Other rates and more moves were tried, and do not help: docs/balance.md.
    return Finding("discriminator too weak", evidence, f"--set config.{name}={2 * width}")


def _apart(fakes: Tensor, reals: Tensor) -> float:
    """The distance of the means of 16 random directions, in standard errors: their root mean square."""
    random = torch.Generator().manual_seed(0)
    turn = torch.randn(fakes[0].numel(), 16, generator=random, dtype=torch.float64)
    # A few rows at a time: large images as float64 are eight times as large as their bytes.
    a, b = (torch.cat([part.flatten(1).double() @ turn for part in x.split(50)]) for x in (fakes, reals))
    error = (a.var(0) / len(a) + b.var(0) / len(b)).clamp(min=1e-12).sqrt()
    return float(((a.mean(0) - b.mean(0)) / error).square().mean().sqrt())


def vanishing_gradient(case: Case) -> Finding | None:
    """The generator's gradient vanished while the discriminator was sure."""
    early, late, skill = case.early("gradient_generator"), case.late("gradient_generator"), case.mean("skill")
    if not case.levelled or not late or skill is None or skill < 0.9:
        return None
    first, now = max(early), median(late)
    if now > 0.02 * first and now > 1e-4:
        return None
    evidence = (
        f"the generator's gradient fell from {first:.2g} to {now:.2g} while the discriminator was right {skill:.0%} of the time"
    )
    return Finding("vanishing gradient", evidence, "--objective nonsaturating")


def collapsed(case: Case) -> Finding | None:
    """Mode collapse: many latents, few different samples."""
    if case.fakes is None or case.alone or isinstance(case.game, Bounds):  # a likelihood bound penalises missing samples
        return None
    source = case.run.recipe.data.source
    if source in MODES and case.fakes.shape[1] == MODES[source].centres.shape[1]:
        centres = MODES[source].centres
        near = torch.cdist(case.fakes, centres).argmin(1)
        counts = torch.bincount(near, minlength=len(centres))
        there = int((counts >= 0.1 * len(case.fakes) / len(centres)).sum())
        if there < len(centres):
            evidence = f"{there} of {len(centres)} modes are drawn"
            return Finding("generator collapsed", evidence, "--objective relativistic")
    fakes, reals = case.fakes.flatten(1).float(), case.reals.flatten(1).float()
    between, usual = _neighbours(fakes), _neighbours(reals)
    share = float((between < 0.3 * usual.median()).float().mean())
    if share < 0.5:
        return None
    kinds = _kinds(fakes, 0.3 * float(usual.median()))
    evidence = f"{share:.0%} of {len(case.fakes)} samples have a near twin among the others (reals: "
    evidence += f"{float((usual < 0.3 * usual.median()).float().mean()):.0%}): about {kinds} different ones"
    return Finding("generator collapsed", evidence, "--set config.rules.r1_gamma=1 --set config.rules.r2_gamma=1")


def latent_ignored(case: Case) -> Finding | None:
    """Posterior collapse: the decoder ignores its code, and the KL term of the bound is nearly zero."""
    beta, weighed = getattr(case.run.recipe.config, "beta", 1.0), case.mean("KL")
    if not isinstance(case.game, Bounds) or weighed is None or not beta or weighed / beta > 0.1:
        return None
    evidence = f"the code contains {weighed / beta:.2g} nats about an image, so every code decodes to the same image"
    return Finding("posterior collapse", evidence, f"--set config.beta={beta / 10:g}")


def _neighbours(x: Tensor) -> Tensor:
    """The distance of each row to the nearest other one."""
    return torch.cdist(x, x).fill_diagonal_(float("inf")).min(1).values


def _kinds(x: Tensor, radius: float) -> int:
    """How many balls of a radius cover the rows, taken greedily."""
    left, count = x, 0
    while len(left):
        left, count = left[(left - left[0]).norm(dim=1) > radius], count + 1
    return count


def generator_memorises(case: Case) -> Finding | None:
    """Fakes that are training pictures."""
    held_out = case.run.held_out
    if case.fakes is None or not case.pictured or held_out is None or len(held_out) < 20:
        return None
    data = case.run.data
    if len(data) > 20_000:  # no model memorises so many in minutes, and the search takes as long
        return None
    unseen = read_rows(held_out, torch.arange(min(len(held_out), max(20, 2 * case.count))))
    # Of large pictures a random part: a model that repeats its training set repeats that part as well.
    part = torch.randperm(len(data), generator=torch.Generator().manual_seed(5))[: TRAIN_BYTES // data.table[0].numel()]
    part = part.sort().values
    found = memorization(case.fakes, data.table, unseen, part if data.index is None else data.index[part])
    if not found.copies and found.median_ratio > 0.5:
        return None
    return Finding("memorising", f"{found.verdict.rstrip('.')}", "--balance auto and more pictures")


def discriminator_memorises(case: Case) -> Finding | None:
    """The discriminator knows its training pictures."""
    memory, augment = case.mean("memory"), case.mean("augment") or 0.0
    if memory is None or memory < 0.12:
        return None
    evidence = f"the discriminator calls pictures it trained on real {memory:.0%} more often than pictures it never saw"
    if len(case.run.data) < 2_000:
        evidence += f", and it trained on only {len(case.run.data):,}"
        return Finding("too little data", evidence, "--balance auto" if not augment else "--data with more pictures")
    return Finding("discriminator overfits", evidence, "--balance auto" if not augment else "--images with a smaller number")


def leak(case: Case) -> Finding | None:
    """Find a trivial difference between reals and fakes: a constant border, a range, the grid of JPEG blocks."""
    if case.fakes is None or not case.pictured or case.alone or (case.mean("skill") or 0) < 0.8:
        return None
    fakes, reals = case.fakes.float(), case.reals.float()
    found = border(fakes, reals) or grey_levels(fakes, reals) or grid(fakes, reals)
    return Finding("real/fake leak", found[0], found[1]) if found else None


def few_data(case: Case) -> Finding | None:
    """A handful of samples."""
    n = len(case.run.data)
    if n >= 100:
        return None
    there = "there is 1 sample" if n == 1 else f"there are {n} samples"
    return Finding("too little data", f"{there}; a GAN needs hundreds", "--data with more pictures")


CHECKS: tuple[Callable[[Case], Finding | None], ...] = (
    not_finite,
    vanishing_gradient,
    discriminator_overpowers,
    discriminator_too_weak,
    collapsed,
    latent_ignored,
    generator_memorises,
    discriminator_memorises,
    few_data,
    leak,
)


def diagnose(folder: str | Path, device: str = "auto") -> list[Finding]:
    """The problems of the run in `folder`; [] if there are none.

    Raises:
        DataError: it is no run folder.
        UsageError, ResourceError: there is no such device.
    """
    run, where = open_run(Path(folder)), find_device(device)
    try:
        game, _ = model_file.load(run.folder, where)
    except GanvasError:
        game = None
    case = Case(run, game)
    found: list[Finding] = []
    for check in CHECKS:
        finding = check(case)
        if finding and finding.name not in {earlier.name for earlier in found}:
            found.append(finding)
    return found


def format_findings(found: list[Finding]) -> str:
    """The findings in words."""
    return "\n".join(finding.text() for finding in found) or "the doctor found no problem"
