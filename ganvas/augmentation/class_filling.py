"""Fill the classes of a data set with samples of a generator: the tool `ganvas augment RUN`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.augmentation.generator_distance import measure_distance, require_near
from ganvas.augmentation.labelled_rows import count_classes, even_out, make_table, read_labelled
from ganvas.augmentation.sample_filters import NEAR, Counts, Filter, sum_counts
from ganvas.augmentation.small_training import SHOWN, Judge, train_judge
from ganvas.core.capabilities import Conditional
from ganvas.core.modality import IMAGES
from ganvas.data.open import open_source
from ganvas.data.sanitize_zip import safe_names
from ganvas.data.source_names import require_outside, shorten_path
from ganvas.data.table import Skipped, TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.inference.model import Model
from ganvas.media.grid import make_grid
from ganvas.media.image_files import encode_png, to_bytes
from ganvas.media.picture_folder import make_new_folder, require_new_folder
from ganvas.runtime.plan import Plan
from ganvas.training.doctor_distance import Distance
from ganvas.utils.files import disk_errors, require_writable, write_new
from ganvas.utils.parsing import compose, printable, require_count

TRIES = 20  # samples that are drawn for each that is wanted, at most
ROUND = 256  # samples of one class that are drawn at a time
MOST = 1_000_000  # pictures of one class
HELD_OUT = 0.1  # of the real pictures: how often the classifier of the filter is right is measured on them
REPORT = "augment.json"

Tell = Callable[[str, int, int], None]  # class, samples that are kept, of how many


@dataclass(frozen=True)
class Filled:
    """What was written, for each class, and what was refused."""

    out: Path
    real: dict[str, int]  # class -> real pictures in the data
    samples: dict[str, Counts]
    distance: Distance
    accuracy: float | None  # of the classifier of the filter, on real pictures that it did not see
    mixed: bool
    notes: tuple[str, ...]
    skipped: tuple[Skipped, ...]  # files of the data that are no real pictures here

    def to_dict(self) -> dict[str, Any]:
        """For --json and augment.json."""
        return {
            "out": str(self.out),
            "real": self.real,
            "samples": {name: vars(counts) for name, counts in self.samples.items()},
            "distance": self.distance.to_dict(),
            "classifier_accuracy": self.accuracy,
            "mixed": self.mixed,
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """A line for each class, and the sums."""
        width = max(len(printable(name)) for name in self.real)
        lines = [f"{'class':{width}}  {'real':>7}  samples"]
        for name, real in self.real.items():
            lines.append(f"{printable(name):{width}}  {real:>7,}  {self.samples[name].text()}")
        lines.append(f"distance from the real pictures: {self.distance.text()}")
        if self.accuracy is not None:
            lines.append(f"the classifier of the filter is right on {self.accuracy:.0%} of held-out real pictures")
        total = sum_counts(self.samples.values()).kept
        beside = " and the real ones" if self.mixed else ""
        return "\n".join([*lines, f"{printable(self.out)} ({total:,} samples{beside}, a folder for each class)"])


def fill_classes(
    model: Model,
    out: str | Path,
    *,
    data: str | None = None,
    per_class: int | None = None,
    mix: bool = False,
    near: float = NEAR,
    seed: int = 0,
    shown: int = SHOWN,
    tell: Tell | None = None,
) -> Filled:
    """Write so many samples of each class into out/CLASS/ that real pictures and samples are `per_class` together.

    None: as many as the commonest class has. `data` is what is filled, by default the data of the training; only its training
    split is read. `mix`: the real pictures too, in the size of the samples. `near` is the share of the usual distance below
    which a sample counts as a near duplicate; 0: none does. Sample k of a class has the noise of seed + k. `shown`: how many
    pictures the classifier of the filter is shown. augment.json in
    the folder says what was kept and refused. The folder is complete or is not there.

    Raises:
        UsageError: the model makes no pictures of a class, or `out` has something in it.
        DataError: the data has other classes than the model; the generator is too far from the data; or of one class too few
            samples pass the filters.
    """
    out = Path(out)
    if not isinstance(model.game, Conditional) or not model.classes or model.modality is not IMAGES:
        raise UsageError(f"{model.name} makes no pictures of a class on request; choose a model of a conditional recipe")
    if not 0 <= near <= 1:
        raise UsageError(f"--near: expected from 0 to 1, got {near:g}")
    require_new_folder(out)
    require_outside(out, model.data_source(data, "--data"))
    require_writable(out)
    real = open_training_split(model, data)
    images, labels = read_labelled(real)
    numbers = _match_classes(model, real)
    there = count_classes(labels, len(real.classes))
    total = max(there) if per_class is None else per_class
    require_count("--per-class", total, 1, MOST)
    missing = [max(0, total - count) for count in there]
    if not any(missing):
        raise UsageError(f"every class has {total:,} pictures already: nothing to fill; give --per-class for more of each")

    # Refuse a generator that is too far from these pictures.
    asked = torch.arange(len(real.classes)).repeat_interleave(max(8, 500 // len(real.classes)))
    distance = measure_distance(_draw(model, asked, numbers, seed), asked, images, labels, real.name)
    require_near(distance, model.name)

    # The classifier of the filter.
    plan = Plan(device=str(model.device))
    kept, held_out = real.hold_out(HELD_OUT)
    judge = train_judge(even_out(make_table(*read_labelled(kept), real)), plan, seed=seed, shown=shown)
    accuracy = _measure_accuracy(judge, held_out)
    notes = (*_doubt_origin(model, real), *_doubt_accuracy(accuracy, len(real.classes)))

    # Draw, filter, write.
    files, counts = safe_names(real.classes), {}
    with make_new_folder(out) as folder:
        for c, name in enumerate(real.classes):
            filter_ = Filter(images[labels == c], near)
            if missing[c] or mix:
                with disk_errors(f"cannot write {printable(out)}"):
                    (folder / files[c]).mkdir()
            written = 0
            for first, samples in _rounds(model, numbers[c], missing[c], seed):
                chosen = filter_.choose(samples, judge.name_classes(samples) == c, missing[c] - written)
                for i in chosen.tolist():
                    text = model.provenance(str(first + i)) | {"class": printable(name)}
                    data_ = encode_png(make_grid(samples[i : i + 1], 1, 1, 0), text)
                    with disk_errors(f"cannot write {printable(out)}"):
                        (folder / files[c] / f"synthetic-{first + i:06d}.png").write_bytes(data_)
                written += len(chosen)
                if tell is not None:
                    tell(name, written, missing[c])
                if written == missing[c]:
                    break
            counts[name] = filter_.counts
            if written < missing[c]:
                raise DataError(
                    f"class {printable(name)!r}: {filter_.counts.text()}, expected {missing[c]:,}; train the generator longer, "
                    "or ask for fewer with --per-class"
                )
            if mix:
                _write_real(folder / files[c], images[labels == c], out)
        found = Filled(out, dict(zip(real.classes, there, strict=True)), counts, distance, accuracy, mix, notes, real.skipped)
        with disk_errors(f"cannot write {printable(out)}"):
            write_new(folder / REPORT, json.dumps(found.to_dict(), indent=1).encode())
    return found


def open_training_split(model: Model, data: str | None) -> TableDataset:
    """The training split of `data`, or of the data of the model, in the size and channels of its samples."""
    config = model.data_config(model.data_source(data, "--data"))
    return open_source(config, resolution=model.shape[-1], channels=model.shape[0])


def _match_classes(model: Model, real: TableDataset) -> list[int]:
    """For each class of the data the number of the model's class of this name. Raises: DataError: it has no such class."""
    known = {compose(name): k for k, name in enumerate(model.classes)}
    lacking = [name for name in real.classes if compose(printable(name)) not in known]
    if not real.classes or lacking:
        names = ", ".join(map(printable, model.classes[:12]))
        what = ", ".join(repr(printable(name)) for name in lacking[:5]) or "no class at all"
        raise DataError(f"{printable(real.name)} has {what}, and {model.name} makes: {names}; train a model on these classes")
    return [known[compose(printable(name))] for name in real.classes]


def _rounds(model: Model, number: int, wanted: int, seed: int) -> Iterator[tuple[int, Tensor]]:
    """Samples uint8 [n, C, H, W] of one class, a few at a time, each with the seed of the first one; at most so many."""
    for first in range(seed, seed + TRIES * wanted, ROUND):
        n = min(ROUND, seed + TRIES * wanted - first)
        yield first, torch.cat([to_bytes(part) for part, _ in model.stream(n, first, number)])


def _draw(model: Model, asked: Tensor, numbers: list[int], seed: int) -> Tensor:
    """Samples uint8 [n, C, H, W] of the classes [n] of the data."""
    label = [numbers[c] for c in asked.tolist()]
    return torch.cat([to_bytes(part) for part, _ in model.stream(len(asked), seed, label, chunk=len(asked))])


def _measure_accuracy(judge: Judge, held_out: TableDataset | None) -> float | None:
    if held_out is None:
        return None
    images, labels = read_labelled(held_out)
    return float((judge.name_classes(images) == labels).float().mean())


def _doubt_accuracy(accuracy: float | None, classes: int) -> tuple[str, ...]:
    """A sentence if the classifier of the filter is not good enough to decide."""
    if accuracy is None or accuracy > (1 + 1 / classes) / 2:
        return ()
    return (
        f"the classifier of the filter is right on {accuracy:.0%} of held-out real pictures only: it lets wrong samples pass",
    )


def _doubt_origin(model: Model, real: TableDataset) -> tuple[str, ...]:
    """A sentence if the generator learnt from other data: it may have seen the pictures of a test."""
    origin = str(model.card["recipe"]["data"]["source"])
    if shorten_path(origin) == shorten_path(real.name):
        return ()
    return (
        f"{model.name} was trained on {printable(shorten_path(origin))}, not on these pictures: whoever measures a classifier "
        "has to know that none of its test pictures was in there",
    )


def _write_real(folder: Path, images: Tensor, out: Path) -> None:
    for i in range(len(images)):
        data = encode_png(make_grid(images[i : i + 1], 1, 1, 0), {})
        with disk_errors(f"cannot write {printable(out)}"):
            (folder / f"real-{i:06d}.png").write_bytes(data)
