"""The command `augment`: fill the classes of a data set with samples, or study whether that helps."""

from __future__ import annotations

import json as json_
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from ganvas.cli.arguments import Running, make_teller, parse_settings, report_doubts, tell_doubts
from ganvas.utils.parsing import parse_numbers, printable
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

FILLING = Group("To fill classes")
STUDYING = Group("To study whether it helps (--study)")
Filling = Parameter(group=FILLING)
Studying = Parameter(group=STUDYING)


def augment(
    target: str,
    *,
    out: Path | None = None,
    data: str | None = None,
    per_class: Annotated[Whole | None, Filling] = None,
    mix: Annotated[bool, Parameter(negative="", group=FILLING)] = False,
    near: Annotated[Real | None, Filling] = None,
    seed: Annotated[Whole | None, Filling] = None,
    study: Annotated[bool, Parameter(negative="", group=STUDYING)] = False,
    labels: Annotated[str | None, Studying] = None,
    imbalance: Annotated[Whole | None, Studying] = None,
    seeds: Annotated[Whole | None, Studying] = None,
    images: Annotated[Whole | None, Studying] = None,
    shown: Annotated[Whole | None, Studying] = None,
    flips: Annotated[bool, Parameter(negative="", group=STUDYING)] = False,
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="", group=STUDYING)] = None,
    running: Running = Running(),
) -> None:
    """Fill rare classes with samples of a conditional model, or measure with --study whether that helps a classifier.

    Parameters
    ----------
    target
        A run folder, a bundle, or the name of a model that comes with ganvas; with --study the name of a recipe.
    out
        The new folder: a folder of pictures for each class, and augment.json; the default is augmented. Of a study: study.json,
        study.png, samples-20.png and so on; the default is studies/RECIPE. The same command continues a study.
    data
        Pictures with classes instead of those of the training; of a study instead of those of the recipe. Only the training
        split is filled or learnt from.
    per_class
        Real pictures and samples of each class together; the default is the number of the commonest class.
    mix
        Also write the real pictures, in the size of the samples: the folder is then training data.
    near
        Samples nearer to a real picture, or to another sample, than this share of the usual distance are refused; the default
        is 0.5, 0 refuses none.
    seed
        Of the first sample of each class; the default is 0.
    study
        Compare classifiers that are trained on few labels, with and without samples; tests are real pictures only.
    labels
        Real pictures of each class, several numbers; the default is 20,50,200.
    imbalance
        How many times fewer every second class has in one more setting; the default is 10, 1 leaves it out.
    seeds
        Each has other labels, another generator and other classifiers; the default is 5.
    images
        Training images of each generator; the default is 12000.
    shown
        Training pictures of each classifier, however many different ones it has; the default is 20000.
    flips
        Also mirror pictures where they are shifted. Not for digits or letters.
    settings
        Any field of the recipe, e.g. --set config.resolution=32 (repeatable).
    """
    from ganvas.errors import UsageError

    numbers: dict[str, Any] = {"imbalance": imbalance, "seeds": seeds, "images": images, "shown": shown}
    of_study = {"--labels": labels, "--set": settings} | {f"--{name}": value for name, value in numbers.items()}
    of_filling = {"--per-class": per_class, "--near": near, "--seed": seed, "--mix": mix or None}
    given = [
        name for name, value in (of_filling if study else of_study | {"--flips": flips or None}).items() if value is not None
    ]
    if given:
        what, advice = ("to fill classes", "leave --study out") if study else ("of a study", "add --study")
        raise UsageError(f"{given[0]} is an option {what}; {advice}, or leave it out")
    if study:
        chosen = {name: value for name, value in numbers.items() if value is not None} | {"flips": flips}
        if labels is not None:
            chosen["labels"] = tuple(parse_numbers(labels, "--labels"))
        _study(target, out, data, chosen, settings, running)
        return
    _fill(target, out or Path("augmented"), data, {"per_class": per_class, "near": near, "seed": seed}, mix, running)


def _study(
    target: str, out: Path | None, data: str | None, chosen: dict[str, Any], settings: list[str] | None, running: Running
) -> None:
    from ganvas.augmentation.study import study
    from ganvas.augmentation.study_plan import StudyOptions
    from ganvas.errors import UsageError
    from ganvas.games import RECIPES

    if target not in RECIPES and Path(target).exists():
        raise UsageError(
            f"--study: {printable(target)} is a trained model, which may have seen the labels and the tests; name a recipe: "
            "the study trains a generator on the few labels alone"
        )
    quiet, started = running.quiet or running.json, time.monotonic()

    def tell(done: int, total: int, what: str) -> None:
        if not quiet:
            print(f"{done} of {total} done after {time.monotonic() - started:.0f} s; next: {what}", file=sys.stderr)

    folder = out or Path("studies") / target
    with tell_doubts(running.quiet):
        found = study(
            target,
            folder,
            StudyOptions(**chosen),
            data=data,
            settings=parse_settings(settings),
            device=running.device,
            tell=tell,
        )
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        print(found.text())
        print(f"\n{printable(folder / 'study.png')}, {printable(folder / 'study.json')}")


def _fill(target: str, out: Path, data: str | None, chosen: dict[str, Any], mix: bool, running: Running) -> None:
    from ganvas.augmentation.class_filling import fill_classes
    from ganvas.errors import UsageError
    from ganvas.games import RECIPES
    from ganvas.inference.model import load
    from ganvas.inference.shipped_models import find_model

    if target in RECIPES and not find_model(target).exists():
        where = f" --data {printable(data)}" if data else ""
        raise UsageError(
            f"{target} is a recipe, not a trained model: train it first with `ganvas train {target}{where} --out RUN`, then "
            "`ganvas augment RUN`; or add --study"
        )
    tell = make_teller(running)

    def report(name: str, done: int, total: int) -> None:
        tell(f"{printable(name)}: {done:,} of {total:,}")

    options = {name: value for name, value in chosen.items() if value is not None}
    with tell_doubts(running.quiet):
        found = fill_classes(load(target, running.device), out, data=data, mix=mix, tell=report, **options)
    report_doubts(found.notes, found.skipped, most=20, quiet=running.quiet)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        print(found.text())
