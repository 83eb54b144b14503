"""From picture to picture: the tables of pix2pix, CycleGAN, SPADE, SRGAN and the learned filters.

    python bench/translation.py EXPERIMENT [--data FOLDER] [--against FOLDER] [--seeds 3] [--first 0] [--only NAME ...]
                                [--minutes M | --images N] [--set ...] [--keep FOLDER]

An experiment is a recipe and its variants: the recipe as it is, and with one part left out or exchanged. Prints a JSON row for
each run, and mean and standard deviation for each variant. `--only` names the variants. `--data` are the pictures of a recipe
that has none of its own, and `--against` others to measure on. With `--keep` the run folders stay there, with their sheets; a
run that is there is measured again, not trained again. Nothing else may run on the machine, unless the length is a number of
images.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runs_and_rows import print_rows

from ganvas.core.capabilities import TakesInputs
from ganvas.errors import GanvasError
from ganvas.evaluation.baselines import make_baseline
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.output_measures import held_out_rows
from ganvas.games.recipes import parse_recipe
from ganvas.inference.feature_extractors import Extractor, load_photos, load_pictures
from ganvas.inference.inputs import list_tasks, run_task
from ganvas.inference.model import load
from ganvas.metrics.kernel_distance import paired_mmd, polynomial_mmd
from ganvas.training.api import train
from ganvas.training.doctor import diagnose

Settings = Mapping[str, str]
SETS = ("kd", "fd", "swd", "sharpness")
TRUTH = ("mae", "psnr", "ssim")
LUMA = ("psnr_y", "ssim_y")


@dataclass(frozen=True)
class Experiment:
    """A recipe, its length, and the settings of each variant."""

    recipe: str
    minutes: float
    variants: Mapping[str, Settings] = field(default_factory=dict)  # beside the recipe as it is
    sets: bool = True  # whether sets of outputs are compared too, not only each output with its truth
    also: tuple[str, ...] = ()  # measures of this kind of output alone


EXPERIMENTS: Mapping[str, Experiment] = {
    "pix2pix-emoji": Experiment(
        "pix2pix-emoji",
        3,
        {
            "L1 alone": {"config.adversarial": "false"},
            "cGAN alone": {"config.l1": "0"},
            "a new picture": {"config.residual": "false"},
        },
    ),
    "pix2pix-earth": Experiment("pix2pix-earth", 10),
    "pix2pix-images": Experiment("pix2pix-images", 15),
    "cyclegan-emoji": Experiment(
        "cyclegan-emoji",
        15,
        {
            "no cycle": {"config.cycle": "0"},
            "no identity": {"config.identity": "0"},
            "no pool": {"config.pool": "0"},
            "a new picture": {"config.residual": "false"},
            "least squares": {"config.rules.objective": "leastsquares"},
        },
    ),
    "cyclegan-styles": Experiment("cyclegan-styles", 15),
    "cyclegan-earth": Experiment("cyclegan-earth", 15),
    "spade-earth": Experiment(
        "spade-earth",
        15,
        {
            "map at the start and the end": {"config.modulation": "concat"},
            "no feature matching": {"config.matching": "0"},
            "no variety": {"config.variety": "0"},
        },
        also=("found", "miou", "variety"),
    ),
    "sr-photos": Experiment("sr-photos", 15, {"pixels alone": {"config.pixel_share": "1"}}, also=LUMA),
    "sr-photos-x4": Experiment("sr-photos-x4", 15, {"pixels alone": {"config.pixel_share": "1"}}, also=LUMA),
    **{
        f"filter-{name}": Experiment(f"filter-{name}", minutes, sets=False)
        for minutes, names in ((5, ("sketch", "vintage")), (6, ("oil", "denoise", "deblur", "colourise")))
        for name in names
    },
}


def choose_variants(experiment: Experiment, only: list[str] | None) -> dict[str, Settings]:
    """The variants to train, by name. Raises: SystemExit: there is none of that name."""
    variants: dict[str, Settings] = {"as it is": {}, **experiment.variants}
    if unknown := [name for name in only or () if name not in variants]:
        raise SystemExit(f"--only: expected some of {', '.join(variants)}; got {', '.join(unknown)}")
    return {name: settings for name, settings in variants.items() if not only or name in only}


def load_extractors() -> list[Extractor]:
    """The networks in whose features sets are compared: the one of ganvas, and that of the extra `photos` at two sizes."""
    extractors = [load_pictures()]
    try:
        extractors += [load_photos(), replace(load_photos(), name="photos128", side=128)]
    except GanvasError as error:  # the extra is not installed
        print(f"# {error}", flush=True)
    return extractors


def measure_run(run: Path, asked: argparse.Namespace, extractors: list[Extractor]) -> dict[str, float]:
    """All measures of a run: each output against its truth where there are pairs, and sets of outputs in each network."""
    row: dict[str, float] = {}
    options = {"samples": asked.samples, "against": asked.against and str(asked.against)}
    also, sets = EXPERIMENTS[asked.experiment].also, [(SETS, extractor) for extractor in extractors]
    for metrics, network in [(TRUTH, None), (also, None), *sets]:
        if not metrics:
            continue
        try:
            report = evaluate(run, metrics=metrics, network=network, **options)
        except GanvasError as misfit:  # such as: the data has no pairs
            print(f"# {', '.join(metrics)}: {misfit}", flush=True)
            continue
        for name, measure in report.measures.items():
            row[name] = round(measure.value, 4)
            for other in ("floor", "baseline"):
                if (value := getattr(measure, other, None)) is not None:
                    row[f"{other}:{name}"] = round(value, 4)
    return row


def measure_pairs(run: Path, extractors: list[Extractor], samples: int) -> dict[str, float]:
    """Where there are pairs: the kernel distance, times 1000, of the outputs to their truths, and of the copied inputs.

    Plain, as papers have it, and without the kernel of an output and its own truth, which makes the plain one smaller.
    """
    model, row = load(run), dict[str, float]()
    if not isinstance(model.game, TakesInputs):
        return row
    found = held_out_rows(model, parse_recipe(model.card["recipe"]).data.source, samples)
    for task in list_tasks(model.game):
        outputs = run_task(task, found.data, found.rows)
        baseline = make_baseline(outputs, found.others)
        if outputs.truth is None or outputs.truth.shape != outputs.output.shape:
            continue
        made = {"": outputs.output} | ({"baseline:": baseline.output} if baseline is not None else {})
        for extractor in extractors:
            truth = extractor.features(outputs.truth)
            for prefix, images in made.items():
                features = extractor.features(images)
                row[f"{prefix}kd-plain-{extractor.name} {task.name}"] = round(1000 * polynomial_mmd(features, truth), 2)
                row[f"{prefix}kd-truth-{extractor.name} {task.name}"] = round(1000 * paired_mmd(features, truth), 2)
    return row


def measure_seeds(asked: argparse.Namespace, name: str, settings: Settings, folder: Path) -> Iterator[dict[str, Any]]:
    """The measures of each seed of a variant."""
    experiment = EXPERIMENTS[asked.experiment]
    length = {"images": asked.images} if asked.images else {"minutes": asked.minutes or experiment.minutes}
    data = {"data": str(asked.data)} if asked.data else {}
    extractors = load_extractors() if experiment.sets else []
    for seed in range(asked.first, asked.first + asked.seeds):
        run = folder / f"{experiment.recipe}-{name.replace(' ', '-')}-{seed}"
        if not (run / "result.json").exists():  # else it was kept
            chosen = {**settings, **dict(text.split("=", 1) for text in asked.set)}
            train(experiment.recipe, seed=seed, out=run, **data, **length, **chosen)
        result = json.loads((run / "result.json").read_text())
        row: dict[str, Any] = {"seed": seed, "images": result["items"], "seconds": round(result["seconds"], 1)}
        row |= measure_run(run, asked, extractors)
        if not asked.against:
            row |= measure_pairs(run, extractors, asked.samples)
        yield row | {"doctor": [finding.name for finding in diagnose(run)]}


def main() -> None:
    """Run the experiment named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="variants; by default all")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float)
    length.add_argument("--images", type=int)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--set", nargs="*", default=[], help="settings of the recipe")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    variants = choose_variants(EXPERIMENTS[asked.experiment], asked.only)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, settings in variants.items():
            print_rows(measure_seeds(asked, name, settings, folder), experiment=asked.experiment, variant=name)


if __name__ == "__main__":
    main()
