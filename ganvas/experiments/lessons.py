"""Run a lesson: train its variants, measure them, and show them side by side as images, a curve and a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from PIL import Image

from ganvas.config import DataConfig, Recipe
from ganvas.core.capabilities import Samples, TakesInputs
from ganvas.core.modality import IMAGES, POINTS, Modality
from ganvas.data.dataset import Dataset
from ganvas.data.open import open_source
from ganvas.data.order import spread_evenly
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.comparison import Row, table
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.generative_classifier import measure_classification
from ganvas.evaluation.measures import Measurement
from ganvas.evaluation.output_measures import FEWEST, held_out_rows
from ganvas.experiments.lesson_list import find_lesson
from ganvas.experiments.lesson_parts import Lesson, Variant
from ganvas.games.recipes import resolve_recipe
from ganvas.inference.inputs import list_tasks, run_task
from ganvas.inference.model import Model, load
from ganvas.inference.sheet import draw_side_by_side
from ganvas.media.curves import draw_curves
from ganvas.media.grid import arrange_pictures, caption, legible_scale, make_grid
from ganvas.media.image_files import PAPER, save_png
from ganvas.media.picture_folder import require_own_files
from ganvas.media.scatter import scatter
from ganvas.metrics.confidence import student_quantile
from ganvas.training.api import resume
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run
from ganvas.training.start import start_run
from ganvas.utils.files import read_regular, write_durably
from ganvas.utils.parsing import parse_json

SHEET, CURVES, MARK = "sheet.png", "curves.png", "lesson.json"
SHOWN: Mapping[Modality, int] = {IMAGES: 30, POINTS: 500}  # samples of each variant in the sheet
SIZE = 200  # pixels of a scatter plot
COLUMNS = 6  # of images; a game with classes has one column for each class
INPUTS = 6  # held-out inputs in the sheet of games that take inputs
ABREAST = 4  # blocks in one row of a sheet, at most; more are put in rows of three


@dataclass(frozen=True)
class LessonResult:
    """The result of a lesson: the numbers of its variants, and the files with the images."""

    lesson: Lesson
    images: int
    seeds: int
    rows: tuple[Row, ...]
    reference: str
    sheet: Path
    curves: Path | None

    def to_dict(self) -> dict[str, Any]:
        """For --json and lesson.json."""
        return {
            "lesson": self.lesson.name,
            "question": self.lesson.question,
            "teaches": self.lesson.teaches,
            "images": self.images,
            "seeds": self.seeds,
            "reference": self.reference,
            "sheet": str(self.sheet),
            "curves": str(self.curves) if self.curves else None,
            "variants": [asdict(row) for row in self.rows],
        }

    def text(self) -> str:
        """The question, a table, and what the lesson teaches."""
        seeds = f"{self.seeds} seeds: means, ± 95 % over seeds" if self.seeds > 1 else "seed 0, ± 95 % of the samples"
        where = f"against {self.reference}; {seeds}; the same noise: {self.sheet}"
        more = [f"over time: {self.curves}"] if self.curves else []
        return "\n".join([self.lesson.question, "", table(self.rows), where, *more, "", self.lesson.teaches])


def lesson(
    name: str,
    out: str | Path | None = None,
    *,
    images: int | None = None,
    seeds: int = 1,
    ranks: str = "auto",
    device: str = "auto",
) -> LessonResult:
    """Train the variants of a lesson, measure them and draw them. What is finished in `out` is not repeated.

    Writes sheet.png, lesson.json and, if the lesson has a curve, curves.png to the folder `out`, by default lessons/NAME. The
    run folders are in it. `images` is the number of training images of each variant. With several seeds the numbers are means
    over them, and the images are of seed 0.

    Raises:
        UsageError: no such lesson, or `out` holds another lesson or other runs.
        DataError: its data cannot be opened.
    """
    # Train what is not finished.
    chosen, out = find_lesson(name), Path(out or Path("lessons") / name)
    runs: dict[str, list[Run]] = {}  # variant -> its runs, one for each seed
    for variant, run in start_runs(chosen, out, images=images, seeds=seeds, ranks=ranks, device=device):
        if not run.finished:
            resume(run.folder)
        runs.setdefault(variant.label, []).append(run)

    # Measure every run; a row of the table is the mean over the seeds of a variant.
    source, shown = next(iter(runs.values()))[0].recipe.data.source, images or chosen.images
    measured = {label: [_measure_run(chosen, run, shown, device) for run in each] for label, each in runs.items()}
    rows = []
    for label, each in runs.items():
        seconds = fmean(run.result["seconds"] for run in each)
        values = _average_seeds([measures for measures, _ in measured[label]])
        rows.append(Row(label, each[0].recipe.train.images, seconds, values))

    # Draw the first seed of every variant. lesson.json comes first: it says that the pictures are of a lesson.
    firsts = {label: each[0] for label, each in runs.items()}
    text = {"lesson": name, "seeds": "0", "synthetic": "true"}
    sheet, curve = _draw_sheet(chosen, firsts, source, device), _draw_curves(chosen, firsts)
    reference = next(iter(measured.values()))[0][1]
    found = LessonResult(chosen, shown, seeds, tuple(rows), reference, out / SHEET, out / CURVES if curve else None)
    write_durably(out / MARK, json.dumps(found.to_dict(), indent=1).encode())
    save_png(out / SHEET, sheet, text)
    if curve is not None:
        save_png(out / CURVES, curve, text)
    return found


def start_runs(
    chosen: Lesson, out: Path, *, images: int | None = None, seeds: int = 1, ranks: str = "auto", device: str = "auto"
) -> Iterator[tuple[Variant, Run]]:
    """The run of each variant and seed, started or found in `out`. The caller may train it.

    Raises:
        UsageError: `seeds` is below 1, or `out` holds another lesson or other runs.
    """
    if seeds < 1:
        raise UsageError(f"--seeds: expected at least 1, got {seeds}")
    _require_own(chosen, out)
    for variant in chosen.variants:
        for seed in range(seeds):
            recipe = variant_recipe(chosen, variant, images, seed)
            yield variant, start_run(recipe, out=out / name_folder(variant, seed), device=device, ranks=ranks)


def _require_own(chosen: Lesson, out: Path) -> None:
    """Raises: UsageError: `out` holds another lesson, finished or not, or a sheet of something else."""
    require_own_files(out, MARK, (SHEET, CURVES))
    path, own = out / MARK, {name_folder(variant, 0) for variant in chosen.variants}
    if path.exists():
        name = parse_json(read_regular(path), str(path)).get("lesson")
        if name != chosen.name:
            raise UsageError(f"{out} holds the lesson {name!r}, not {chosen.name!r}; choose another --out")
        return
    for run in sorted(found.parent for found in out.glob("*-seed*/recipe.json")):
        if re.sub(r"\d+$", "0", run.name) not in own:
            raise UsageError(f"{out} holds {run.name}, which is no run of {chosen.name!r}; choose another --out")


def variant_recipe(chosen: Lesson, variant: Variant, images: int | None = None, seed: int = 0) -> Recipe:
    """The recipe of a variant."""
    count = images or chosen.images
    kept = {"train.snapshots": "9"} | ({"train.eval_every": str(max(1, count // chosen.looks))} if chosen.looks else {})
    return resolve_recipe(variant.recipe, {**kept, **chosen.settings, **variant.settings}, images=count, seed=seed)


def name_folder(variant: Variant, seed: int) -> str:
    """The name of a variant's run folder."""
    words = re.sub(r"[^a-z0-9]+", "-", variant.label.lower()).strip("-")
    return f"{words}-seed{seed}"


def _measure_run(chosen: Lesson, run: Run, shown: int, device: str) -> tuple[dict[str, Measurement], str]:
    """All measures of one run, and the name of the reference."""
    found: dict[str, Measurement] = {}
    source, reference = run.recipe.data.source, "the log"
    if chosen.names_classes:
        train, test = (open_source(DataConfig(source=source, split=split)) for split in ("train", "test"))
        found |= measure_classification(
            load(run.folder, device), train, test, _open_unrelated_data(), shown, run.recipe.train.seed
        )
        reference = f"{len(test):,} real samples of the test split of {source}"
    if chosen.metrics:
        report = evaluate(run.folder, against=source, metrics=chosen.metrics, samples=chosen.samples, device=device)
        found, reference = found | _name_alike(chosen, report.measures), report.reference
    rows = read_log(run.folder / "log.jsonl")
    for note in chosen.notes:
        if values := [row[note] for row in rows if note in row]:
            late = values[-max(1, len(values) // 3) :]
            found[note] = Measurement(fmean(late), None, None, len(late), "none")
    return found, reference


def _name_alike(chosen: Lesson, measures: Mapping[str, Measurement]) -> dict[str, Measurement]:
    """The measures of the direction of the lesson, without its name: "mae298 a>b" is "mae298", as of a game with one."""
    several = {name: name.rpartition(" ") for name in measures}
    return {
        several[name][0] or name: measured
        for name, measured in measures.items()
        if not several[name][0] or several[name][2] == chosen.direction
    }


def _open_unrelated_data() -> TableDataset | None:
    """Images of clothes, to test models of digits with; None if they are not available."""
    try:
        return open_source(DataConfig(source="fashion", split="test"))
    except DataError:
        return None


def _average_seeds(seeds: Sequence[dict[str, Measurement]]) -> dict[str, Measurement]:
    """The mean of each measure over seeds, with the interval of that mean; a single seed stays as it is."""
    if len(seeds) == 1:
        return seeds[0]
    found = {}
    for name, first in ((name, first) for name, first in seeds[0].items() if all(name in each for each in seeds)):
        values = [each[name].value for each in seeds]
        half = student_quantile(len(values) - 1) * stdev(values) / len(values) ** 0.5
        found[name] = Measurement(fmean(values), half, first.floor, first.samples, first.extractor)
    return found


def _draw_sheet(chosen: Lesson, runs: dict[str, Run], source: str, device: str) -> Image.Image:
    """A block of samples for each variant, of the same noise, and one of the data; of games with inputs their outputs."""
    models = {label: load(run.folder, device) for label, run in runs.items()}
    if all(isinstance(model.game, TakesInputs) for model in models.values()):
        return _draw_outputs(chosen, models, source)
    real = next(iter(runs.values())).data
    pictures = {label: _draw_block(run, real, device) for label, run in runs.items()}
    blank = Image.new("L", next(picture.size for picture in pictures.values() if picture), PAPER)
    blocks = [
        caption(picture or blank, [label if picture else f"{label} (makes no samples)"]) for label, picture in pictures.items()
    ]
    kind = real.modality
    few = real.samples(torch.arange(SHOWN[kind]))["real"]
    whole = scatter(few, few[:0], SIZE) if kind is POINTS else make_grid(few, COLUMNS, legible_scale(few.shape[-1]))
    blocks.append(caption(whole, [f"real: {source}"]))
    return arrange_pictures(blocks, len(blocks) if len(blocks) <= ABREAST else 3)


def _draw_outputs(chosen: Lesson, models: Mapping[str, Model], source: str) -> Image.Image:
    """What each variant makes of the same held-out inputs."""
    several = {}
    for label, model in models.items():
        assert isinstance(model.game, TakesInputs)  # noqa: S101 - the caller has looked
        tasks = list_tasks(model.game)
        task = next((task for task in tasks if task.name == chosen.direction), tasks[0])
        found = held_out_rows(model, source, FEWEST)
        several[label] = run_task(task, found.data, found.rows[torch.tensor(spread_evenly(len(found.rows), INPUTS))])
    return draw_side_by_side(several)


def _draw_block(run: Run, real: Dataset, device: str) -> Image.Image | None:
    """Samples of one variant; None if it makes none."""
    model = load(run.folder, device)
    if not isinstance(model.game, Samples):
        return None
    count = SHOWN[model.modality]
    samples = torch.cat([part for part, _ in model.stream(count)])
    if model.modality is POINTS:
        return scatter(real.samples(torch.arange(count))["real"], samples, SIZE)
    return make_grid(samples, 10 if model.classes else COLUMNS, legible_scale(samples.shape[-1]))


def _draw_curves(chosen: Lesson, runs: dict[str, Run]) -> Image.Image | None:
    """The plot of the lesson's curve, a line for each variant; None if the lesson has none."""
    if chosen.curve is None:
        return None
    pattern = re.compile(rf"{chosen.curve.note}(\d+(-\w+)?)?")
    logs = {label: read_log(run.folder / "log.jsonl") for label, run in runs.items()}
    series = {
        label: [(row["items"], row[name]) for row in rows for name in row if pattern.fullmatch(name)]
        for label, rows in logs.items()
    }
    return draw_curves(series, chosen.curve.title, log=chosen.curve.log)
