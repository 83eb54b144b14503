"""The commands of a model: `models`, `sample`, `classify`, `eval`, `neighbours`, `reconstruct` and `strip`."""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import (
    Json,
    Label,
    Latents,
    Measuring,
    Running,
    RunPath,
    Sampling,
    Temperature,
    Writing,
    free_path,
    parse_labels,
    parse_places,
    report_doubts,
    report_path,
    tell_doubts,
)
from ganvas.utils.parsing import printable
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole


def models(*, json: Json = False) -> None:
    """List the models that come with ganvas: their names stand wherever a run does, as in: ganvas sample cgan-mnist."""
    from ganvas.inference.shipped_models import list_shipped

    rows = list_shipped()
    if json:
        print(json_.dumps([asdict(row) for row in rows]))
        return
    width = max(len(row.name) for row in rows) + 2
    for row in rows:
        name, first = next(iter(row.measured.items()))
        beside = [f"{word} {x:.3g}" for word, x in (("floor", first.floor), ("baseline", first.baseline)) if x is not None]
        measured = f"{name} {first.value:.3g}" + (f" ({', '.join(beside)})" if beside else "")
        print(f"{row.name:{width}}{row.about}: {measured}")
        print(f"{'':{width}}{row.bytes / 1000:,.0f} kB; data: {row.data}, {row.licence}")
        print(f"{'':{width}}{row.minutes:.0f} min: {row.command}")
    print(f"\nminutes of {rows[0].machine}")
    print("use one by its name: ganvas sample cgan-mnist; all measures, and how each was made: ganvas models --json")


def sample(
    run: RunPath,
    *,
    count: Annotated[Whole | None, Parameter(name=["-n", "--count"])] = None,
    sampling: Sampling = Sampling(),
    latents: Latents = None,
    out: Path | None = None,
    columns: Whole | None = None,
    temperature: Temperature = 1.0,
    data: str | None = None,
    running: Running = Running(),
) -> None:
    """Generate samples and save a sheet (.png, .jpg), an archive (.npz) or a folder; voxel shapes also as .gif, .obj and .stl.

    Text is printed, or written to a .txt. Of a model that takes inputs: a sheet of held-out inputs beside its outputs.

    Parameters
    ----------
    count
        How many; the default is 64, and 8 inputs. Of voxels: one of each class in a GIF, and one in a mesh.
    out
        .png, .jpg: a sheet; of one image (-n 1) its own pixels. .npz: images uint8 [N, H, W, C] (or voxels, points), labels
        and names of classes, any number of them. A folder (a name without an ending, or an empty folder): one PNG a sample,
        named by seed and class, and labels.csv. Voxels: .gif turns them around, .obj and .stl are closed meshes. Text: .txt,
        or a page as .png; without --out it is printed. The default is sheet.png, or sheet-2.png, ... if that exists: only a
        file that is named here is replaced.
    columns
        Samples in a row of the sheet.
    data
        Where the inputs come from, for a model that takes inputs; the default is what it was trained on.
    """
    from ganvas.core.capabilities import TakesInputs
    from ganvas.core.modality import TEXT
    from ganvas.inference.model import load

    model, options = load(run, running.device), sampling.options()
    if isinstance(model.game, TakesInputs):
        from ganvas.evaluation.output_sheet import save_output_sheet

        report_path(save_output_sheet(model, free_path(out, "sheet.png"), data, 8 if count is None else count), running)
        return
    if out is None and model.modality is TEXT:
        lines = model.sample(64 if count is None else count, temperature=temperature, **options)
        print(json_.dumps({"lines": lines}) if running.json else "\n".join(lines))
        return
    out = free_path(out, "sheet.png")
    if latents is not None:
        from ganvas.data.input_files import require_other
        from ganvas.editing.code_files import save_codes

        require_other(out, {"the file of codes": latents if Path(latents).is_file() else latents.partition("#")[0]})
        sampling.refuse_seeds(count)
        codes = model.load_codes(latents)
        report_path(save_codes(model, out, codes, label=options["label"], columns=columns, psi=options["psi"]), running)
        return
    model.save(out, count, columns=columns, temperature=temperature, **options)
    report_path(out, running)


def classify(run: RunPath, *inputs: str, align: bool = True, running: Running = Running()) -> None:
    """Name the class of pictures, with a model of a classifier-... or vae-...-conditional recipe.

    Parameters
    ----------
    inputs
        Pictures, folders and zips of them. Each is made square and small as the training data were.
    align
        First make pictures with a plain ground as the data were, if these are on this machine: light on dark or dark on light,
        the figure as large as there.
    """
    from ganvas.errors import UsageError
    from ganvas.inference.classify_files import classify_files
    from ganvas.inference.model import load

    if not inputs:
        raise UsageError("classify: expected a picture, a folder or a zip after the run, found none; name one")
    found = classify_files(load(run, running.device), inputs, align=align)
    report_doubts(found.doubts, found.skipped, quiet=running.quiet)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        for i, (name, aligned) in enumerate(zip(found.names, found.aligned, strict=True)):
            likely = [(one, 100 * share) for one, share in found.rank(i)[:3]]
            first, *others = [f"{one} {share:.1f} %" for k, (one, share) in enumerate(likely) if k == 0 or share >= 0.1]
            words = f" (then {', '.join(others)})" * bool(others) + f" ({aligned})" * bool(aligned)
            print(f"{printable(name)}: {printable(first)}{printable(words)}")


def evaluate(
    target: str,
    *,
    against: str | None = None,
    measuring: Measuring = Measuring(),
    extractor: str | None = None,
    temperature: Temperature = 1.0,
    strength: Real = 1.0,
    running: Running = Running(),
) -> None:
    """Measure a model, or a folder of images, against real data: each number with its interval and its floor.

    Parameters
    ----------
    target
        A run folder, a bundle, or images (a folder, zip, .npz).
    against
        Real data to compare with; the default is what the model was trained on.
    extractor
        The network whose features are compared: digits, clothes, pictures, photos, inception, or the run of a classifier.
    strength
        From 0 to 1, for what translates or enlarges: how much of the change is made, or how much detail is made up.
    """
    from ganvas.evaluation.evaluate import evaluate as measure
    from ganvas.evaluation.evaluate import record

    chosen = {"network": extractor, "temperature": temperature, "strength": strength, "device": running.device}
    options = measuring.options() | chosen
    with tell_doubts(running.quiet):
        report = measure(target, against=against, **options)
    if running.json:
        print(json_.dumps(report.to_dict()))
    elif not running.quiet:
        print(report.text())
    record(Path(target), report, measuring.seed)


def neighbours(
    run: RunPath,
    *,
    count: Annotated[Whole | None, Parameter(name=["-n", "--count"])] = None,
    k: Annotated[Whole, Parameter(name="-k")] = 4,
    within: Annotated[str, Parameter(name="--in")] = "pixels",
    sampling: Sampling = Sampling(),
    latents: Latents = None,
    data: str | None = None,
    to: Writing = Writing(),
) -> None:
    """Save samples beside their nearest training images, to look for copies.

    Parameters
    ----------
    count
        How many samples; the default is 8.
    k
        How many neighbours of each.
    within
        pixels, or an extractor whose features are compared: digits, clothes, pictures, photos, inception, a classifier's run.
    data
        Images to search instead of the training images.
    """
    from ganvas.evaluation import training_neighbours
    from ganvas.inference.model import load

    out = to.path("neighbours.png")
    model, options = load(run, to.device), sampling.options()
    if latents is not None:
        sampling.refuse_seeds(count)
        options["latents"] = model.load_codes(latents)
    found = training_neighbours.neighbours(model, out, count or 8, k, within=within, data=data, **options)
    if to.json:
        print(json_.dumps(found.to_dict()))
    elif not to.quiet:
        print(f"{found.text()}\n{out}")


def reconstruct(
    run: RunPath,
    *,
    data: str | None = None,
    count: Annotated[Whole, Parameter(name=["-n", "--count"])] = 30,
    seed: Whole = 0,
    to: Writing = Writing(),
) -> None:
    """Save a sheet of images, each above its reconstruction by a model with an encoder (vae-...).

    Parameters
    ----------
    data
        Images to use instead of the model's own data; the test split, if it exists.
    count
        How many images.
    seed
        Chooses the images.
    """
    from ganvas.editing import latent_map

    out = to.path("reconstruction.png")
    report_path(latent_map.reconstruct(run, out, data=data, count=count, seed=seed, device=to.device), to)


def strip(
    run: RunPath,
    *,
    by: Literal["resolution", "truncation", "mixing"],
    seeds: Annotated[str, Parameter(name=["--seeds", "--latents"])] = "0-7",
    label: Label = None,
    cut: Whole | None = None,
    to: Writing = Writing(),
) -> None:
    """Save the same latents at every resolution, truncation or style mixing, side by side.

    Parameters
    ----------
    by
        resolution: the image at each resolution of the generator. truncation: nearer and nearer to the mean style. mixing: the
        first half of the seeds down the side in coarse layers, the rest along the top in fine ones.
    seeds
        Which latents, e.g. 1,5,9 or 0-7; or codes.npz of `ganvas invert`.
    cut
        The layer from which the fine styles are taken; the default is the middle.
    """
    from ganvas.editing import strips
    from ganvas.inference.model import load

    out = to.path("strip.png")
    model = load(run, to.device)
    strips.strip(model, out, by, parse_places(seeds, model), label=parse_labels(label), cut=cut)
    report_path(out, to)
