"""Train, measure and pack the models that come with ganvas: `python tools/train_models.py NAME... [--work FOLDER]`.

Without a name: all of them, which takes a night. A run that is in the folder is continued, and one that has ended is not
trained again. A model is stored in 16 bits where its outputs change by at most one of 256 levels, else in 32. Its line in
`ganvas/inference/shipped/models.json` says how it was made and what was measured.

`--photos` is a folder of photographs, for the models that learn from them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.capabilities import Classifies, TakesInputs
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.measures import Measurement
from ganvas.evaluation.output_measures import InputRows, held_out_rows
from ganvas.inference import model_file
from ganvas.inference.inputs import list_tasks, run_task
from ganvas.inference.model import Model, load
from ganvas.inference.shipped_models import INDEX, SHIPPED, Measured, ShippedModel
from ganvas.media.image_files import to_bytes
from ganvas.training.api import resume, train

MACHINE = "one core of the 2-core reference machine, with other work beside it"
COMPARED = 64  # samples, or outputs, that must not change by more than `LEVELS`
LEVELS = 1
NARROW = {"config.widths": "[24,48,64]"}  # a quarter of the numbers
FAIR, MIT, PUBLIC = "CC BY-SA 3.0", "MIT", "public domain"


@dataclass(frozen=True)
class Plan:
    """How a model is made. `data`: what its data is, in words; `photos`: whether it learns from the folder of photographs."""

    recipe: str
    about: str
    data: str
    licence: str
    metrics: Sequence[str] | None = None  # of `ganvas eval`
    settings: Mapping[str, Any] = field(default_factory=dict)
    photos: bool = False


PLANS: Mapping[str, Plan] = {
    "cgan-mnist": Plan("cgan-mnist", "handwritten digits on request", "MNIST", FAIR, ("fd", "requested")),
    "vae-fashion": Plan("vae-fashion", "clothes, by an encoder and a decoder", "Fashion-MNIST", MIT, ("fd",)),
    "classifier-mnist": Plan("classifier-mnist", "names the digit", "MNIST", FAIR),
    "cogan-edges": Plan("cogan-edges", "digits and their edges, in pairs", "MNIST", FAIR, ("fd",)),
    "dcgan-fashion-paired": Plan("dcgan-fashion-paired", "clothes", "Fashion-MNIST", MIT, ("fd", "recall")),
    "stylegan2-fashion": Plan(
        "stylegan2-fashion", "clothes, with styles for every layer", "Fashion-MNIST", MIT, ("fd", "recall")
    ),
    "voxel-shapes": Plan("voxel-shapes", "chairs, tables, lamps and planes in 3-D", "drawn by ganvas", PUBLIC, ("connected",)),
    "textgan-names": Plan(
        "textgan-names", "given names, letter by letter", "given names", PUBLIC, ("novel", "bigrams", "nats")
    ),
    "pix2pix-emoji": Plan("pix2pix-emoji", "flat emoji become shaded ones", "Fluent Emoji", MIT, ("mae", "ssim"), NARROW),
    "cyclegan-emoji": Plan("cyclegan-emoji", "flat and shaded emoji, both ways", "Fluent Emoji", MIT, ("mae", "ssim"), NARROW),
    "spade-earth": Plan(
        "spade-earth", "a drawn map becomes a satellite picture", "NASA Blue Marble", PUBLIC, ("found", "miou")
    ),
    "sr-photos": Plan(
        "sr-photos", "photographs at twice the size", "37 photographs", "CC BY-SA", ("psnr_y", "ssim_y"), photos=True
    ),
    "filter-sketch": Plan(
        "filter-sketch", "photographs as pencil sketches", "37 photographs", "CC BY-SA", ("psnr",), photos=True
    ),
    "motion-emoji": Plan("motion-emoji", "an emoji moves as another one does", "Fluent Emoji", MIT, ("mae",)),
    "inpaint-photos": Plan(
        "inpaint-photos", "holes in photographs filled", "37 photographs", "CC BY-SA", ("psnr_hole", "mae"), photos=True
    ),
}


def make(name: str, work: Path, photos: Path | None) -> ShippedModel:
    """Train, measure and pack one model. Raises: GanvasError: as the commands do; SystemExit: it needs photographs."""
    plan, run = PLANS[name], work / name
    if plan.photos and photos is None:
        raise SystemExit(f"{name} learns from photographs: name their folder with --photos")
    given = {"data": str(photos)} if plan.photos else {}
    if (run / "recipe.json").exists():
        if not (run / "result.json").exists():
            resume(run)
    else:
        train(plan.recipe, seed=0, out=run, **given, **plan.settings)
    report = evaluate(run, metrics=plan.metrics)
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    model, path = load(run, "cpu"), SHIPPED / f"{name}.safetensors"
    bits = pack(model, path)
    data = path.read_bytes()
    words = [f"--set '{key}={value}'" for key, value in plan.settings.items()]
    return ShippedModel(
        name=name,
        recipe=plan.recipe,
        about=plan.about,
        command=" ".join(["ganvas train", plan.recipe, *(["--data PHOTOS"] if plan.photos else []), "--seed 0", *words]),
        items=int(result["items"]),
        seed=0,
        minutes=round(float(result["seconds"]) / 60, 1),
        machine=MACHINE,
        data=plan.data,
        licence=plan.licence,
        measured={name: shorten(measure) for name, measure in report.measures.items() if ":" not in name},
        bits=bits,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def shorten(measure: Measurement) -> Measured:
    """A measure with five digits."""
    floor, baseline = (None if x is None else float(f"{x:.5g}") for x in (measure.floor, measure.baseline))
    return Measured(float(f"{measure.value:.5g}"), floor, baseline)


def pack(model: Model, path: Path) -> int:
    """Write the bundle, and return the bits of its weights: 16 if its outputs stay the same within `LEVELS`."""
    SHIPPED.mkdir(exist_ok=True)
    recipe, data = model.card["recipe"], model.card["recipe"]["data"]
    source = Path(data["source"]).name  # without the place on this machine
    card = {**model.card, "recipe": {**recipe, "data": {**data, "source": source}}}
    for half in (True, False):
        model_file.save(path, model.game, card, half=half)
        model_file.discriminator_path(path).unlink(missing_ok=True)
        if not half or measure_change(model, load(path, "cpu")) <= LEVELS:
            return 16 if half else 32
    raise AssertionError


def measure_change(one: Model, other: Model) -> float:
    """The largest difference of their outputs, in levels of 255; of a model without pictures, in its own numbers.

    Inputs are held-out rows of the data of `one`: `other` does not say where they are.
    """
    asked = held_out_rows(one, one.card["recipe"]["data"]["source"], COMPARED) if isinstance(one.game, TakesInputs) else None
    first, second = (compute_outputs(model, asked) for model in (one, other))
    if first.ndim == 4 and first.is_floating_point():
        first, second = to_bytes(first), to_bytes(second)
    return float((first.double() - second.double()).abs().max())


@torch.no_grad()
def compute_outputs(model: Model, asked: InputRows | None) -> Tensor:
    """Samples of `COMPARED` seeds, or what it makes of the inputs `asked`; of a classifier its probabilities."""
    if asked is not None and isinstance(model.game, TakesInputs):
        return torch.cat([run_task(task, asked.data, asked.rows).output for task in list_tasks(model.game)])
    if isinstance(model.game, Classifies):
        pictures = torch.rand(COMPARED, *model.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        return model.game.classify(pictures).softmax(1)
    return torch.cat([part for part, _ in model.stream(COMPARED)])


def main() -> None:
    """Make the models that are named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *PLANS])
    parser.add_argument("--work", type=Path, default=Path("runs") / "shipped")
    parser.add_argument("--photos", type=Path)
    asked = parser.parse_args()
    index = SHIPPED / INDEX
    for name in asked.names or PLANS:
        made = make(name, asked.work, asked.photos)
        rows = {row["name"]: row for row in json.loads(index.read_text(encoding="utf-8"))} if index.exists() else {}
        rows[name] = asdict(made)
        ordered = [rows[each] for each in PLANS if each in rows]
        index.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{name}: {made.bytes:,} bytes, {made.bits} bits, {made.measured}", flush=True)


if __name__ == "__main__":
    main()
