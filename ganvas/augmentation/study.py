"""A study: does adding generated pictures help a classifier that has few labels? Cells are kept; a study can be continued."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganvas.augmentation.labelled_rows import read_labelled
from ganvas.augmentation.small_training import require_conditional
from ganvas.augmentation.study_cell import Bench, play_cell
from ganvas.augmentation.study_plan import Setting, StudyOptions, plan_settings
from ganvas.augmentation.study_report import StudyResult, draw_figure, draw_sheet
from ganvas.config import Recipe
from ganvas.core.modality import IMAGES
from ganvas.data.source_names import require_outside, shorten_path
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import choose_plan
from ganvas.errors import DataError, UsageError
from ganvas.games.recipes import adapt_recipe, open_samples, resolve_recipe
from ganvas.media.font import explain_names, warn_of_numbers
from ganvas.media.image_files import save_png
from ganvas.utils.files import make_folder, read_regular, write_durably
from ganvas.utils.parsing import parse_json, printable
from ganvas.utils.seeds import mix
from ganvas.utils.settings import to_dict

TESTS = 2_000  # real pictures of the tests, at most
TEST_SHARE = 0.25  # of data without a test split
KEPT = "cells"  # the folder of what is finished
SETTINGS = "settings.json"
IN_A_CELL = {"setting", "arms", "samples", "too_far"}

Tell = Callable[[int, int, str], None]  # cells that are done, of how many, what is next


def study(
    name: str | Recipe,
    out: str | Path,
    options: StudyOptions = StudyOptions(),
    *,
    data: str | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    tell: Tell | None = None,
) -> StudyResult:
    """Compare the arms of `plan_settings` by classifiers that are tested on real pictures; `name` is a conditional recipe.

    Every generator learns from the few labelled pictures of its cell alone. Writes study.json, study.png, samples-*.png to
    the folder `out`; the same call continues it. `settings` are fields of the recipe, `tell` is called before each cell.

    Raises:
        UsageError: no such recipe, one that makes no samples of a class, or `out` holds another study.
        DataError: the data cannot be opened, has no classes, or too few pictures.
    """
    recipe, out = resolve_recipe(name, settings or {}, data=data, images=options.images), Path(out)
    require_conditional(recipe)
    require_outside(out, recipe.data.source)
    train, test = open_splits(recipe)
    recipe = adapt_recipe(recipe, train)
    planned = plan_settings(options.labels, len(train.classes), options.imbalance)
    _require_enough(train, planned)
    _keep_settings(out, recipe, options)
    bench = _set_up(recipe, train, test, options, device)

    cells: list[dict[str, Any]] = []
    total = len(planned) * options.seeds
    for setting, seed in _order(planned, options.seeds):
        path = out / KEPT / f"{setting.name.replace(' ', '-')}-seed{seed}.json"
        if not path.exists():
            if tell is not None:
                tell(len(cells), total, f"{setting.name} labels a class, seed {seed}")
            found, pictures = play_cell(bench, setting, seed)
            text = {"study": recipe.name, "seed": str(seed), "synthetic": "every second block of four columns"}
            text |= explain_names(train.classes)
            if seed == 0:
                save_png(out / f"samples-{setting.name.replace(' ', '-')}.png", draw_sheet(pictures, train.classes), text)
            write_durably(path, json.dumps(found).encode())
        cells.append(_read_cell(path))

    about = f"{len(test[0]):,} real pictures of {_describe_tests(recipe, train)}"
    result = StudyResult(recipe.name, shorten_path(recipe.data.source), about, train.classes, planned, options, tuple(cells))
    warn_of_numbers(train.classes)
    save_png(out / "study.png", draw_figure(result), {"study": recipe.name})
    write_durably(out / "study.json", json.dumps(result.to_dict(), indent=1).encode())
    return result


def _read_cell(path: Path) -> dict[str, Any]:
    """What is kept of a cell. Raises: DataError: it is damaged."""
    try:
        found = parse_json(read_regular(path), printable(path))
        if not found.keys() >= IN_A_CELL:
            raise DataError(f"{printable(path)} is no part of a study")
    except DataError as error:
        raise DataError(f"{error}; delete this file: the same command computes it again") from None
    return found


def open_splits(recipe: Recipe) -> tuple[TableDataset, tuple[torch.Tensor, torch.Tensor]]:
    """The training split, and at most 2,000 real pictures for the tests, uint8 [m, C, H, W], with their classes [m].

    The tests are of the test split; without one a random quarter of the data, always the same, is kept for them.

    Raises:
        DataError: no pictures with classes, or too few.
    """
    train = replace(open_samples(recipe), flip=False)
    if train.modality is not IMAGES:
        raise DataError(f"{printable(train.name)} holds {train.modality.unit}; expected pictures with classes")
    read_labelled(train, torch.arange(1))
    if "test" in train.splits:
        test = open_samples(replace(recipe, data=replace(recipe.data, split="test")))
        if test.classes != train.classes:
            raise DataError(f"{printable(train.name)}: its test split has other classes than its training split; repair it")
        rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(mix("tests")))[:TESTS]
        return train, read_labelled(test, rows)
    kept, held_out = train.hold_out(TEST_SHARE, TESTS)
    if held_out is None:
        raise DataError(
            f"{printable(train.name)} holds {len(train):,} pictures; expected a test split, or at least 80 pictures"
        )
    return kept, read_labelled(held_out)


def _describe_tests(recipe: Recipe, train: TableDataset) -> str:
    source = shorten_path(recipe.data.source)
    return f"the test split of {source}" if "test" in train.splits else f"{source} that nothing was trained on"


def _require_enough(train: TableDataset, planned: Sequence[Setting]) -> None:
    """Raises: DataError: a class has fewer pictures than a setting needs."""
    _, labels = read_labelled(train)
    there = torch.bincount(labels, minlength=len(train.classes)).tolist()
    for setting in planned:
        for c, count in enumerate(setting.counts):
            if there[c] < count:
                raise DataError(
                    f"{printable(train.name)}: class {printable(train.classes[c])!r} has {there[c]:,} pictures for training; "
                    f"--labels expects {count:,}; choose fewer"
                )


def _keep_settings(out: Path, recipe: Recipe, options: StudyOptions) -> None:
    """Write what the study is into its folder. Raises: UsageError: the folder holds another one."""
    wanted = {"recipe": to_dict(recipe), "options": {**vars(options), "labels": list(options.labels)}}
    wanted["options"].pop("seeds")  # more seeds continue a study
    wanted = json.loads(json.dumps(wanted))
    path = out / SETTINGS
    if path.exists():
        if differs := _compare(parse_json(read_regular(path), str(path)), wanted):
            raise UsageError(
                f"{printable(out)} holds another study ({differs}); continue it with its own command, or choose another --out"
            )
        return
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{printable(out)}: expected a new or an empty folder, found files in it; choose another --out")
    make_folder(out / KEPT)
    write_durably(path, json.dumps(wanted, indent=1).encode())


def _compare(kept: Any, wanted: Any, name: str = "") -> str:
    """The first setting that differs, as "options.images 600, not 900"; "": none does."""
    if isinstance(kept, dict) and isinstance(wanted, dict):
        rows = (_compare(kept.get(key), wanted.get(key), f"{name}.{key}".lstrip(".")) for key in {**wanted, **kept})
        return next(filter(None, rows), "")
    return "" if kept == wanted else printable(f"{name} {json.dumps(kept)}, not {json.dumps(wanted)}", 200)


def _set_up(
    recipe: Recipe, train: TableDataset, test: tuple[torch.Tensor, torch.Tensor], options: StudyOptions, device: str
) -> Bench:
    plan = choose_plan(recipe, train, device)
    return Bench(recipe, train, *test, plan=plan, flipped=options.flips, shown=options.shown)


def _order(planned: Sequence[Setting], seeds: int) -> Iterator[tuple[Setting, int]]:
    """All settings of seed 0 first: an interrupted study has something to say about each."""
    for seed in range(seeds):
        for setting in planned:
            yield setting, seed
