"""The command line: parse, call the library, show. torch is imported only by the verbs that need it."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from ganvas import matches, verbs, voyages
from ganvas.ending import conclude
from ganvas.verbs import HOW, Quiet, saved
from ganvas.words import Running, Sampling, Whole, free_path, setting

app = App(
    name="ganvas",
    help="Train, measure, show and use the family of generative adversarial networks.",
    version_flags=["--version"],
)
app.command(verbs.evaluate, name="eval")
app.command(verbs.doctor)
app.command(verbs.reconstruct)
app.command(verbs.latent_map, name="map")
app.command(matches.compare)
app.command(matches.lesson)
app.command(verbs.strip)
app.command(verbs.branch)
app.command(verbs.studio)
for verb in (voyages.interpolate, voyages.traverse, voyages.plane, voyages.arithmetic, voyages.neighbours):
    app.command(verb)


@app.command
def train(
    recipe: str,
    *,
    data: str | None = None,
    minutes: float | None = None,
    images: Whole | None = None,
    out: Path | None = None,
    seed: Whole | None = None,
    objective: str | None = None,
    balance: Literal["auto", "fixed", "rest", "off"] | None = None,
    batch: Whole | None = None,
    eval_every: Whole | None = None,
    fit: Literal["crop", "pad", "stretch"] | None = None,
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    device: Annotated[str, Parameter(group=HOW)] = "auto",
    precision: Annotated[Literal["auto", "float32", "bfloat16"] | None, Parameter(group=HOW)] = None,
    ranks: Annotated[str, Parameter(group=HOW)] = "auto",
    quiet: Quiet = False,
    json: Quiet = False,
) -> int:
    """Train a recipe (see `ganvas recipes`); the same command with --out continues an unfinished run.

    Parameters
    ----------
    recipe
        Its name, e.g. cgan-mnist.
    data
        Instead of the recipe's own: a folder or zip of pictures (one sub-folder per class), IDX, .npy, .npz, CSV, .txt.
    minutes
        How long; turned into a number of images once, by a three-second probe.
    images
        How many images (or points) are shown.
    out
        The run folder; without it the next number under runs/.
    seed
        Of everything left to chance.
    objective
        minimax, nonsaturating, leastsquares, wasserstein, wasserstein-gp, hinge or relativistic.
    balance
        auto keeps the two players at a similar level; fixed plays the recipe as it is; rest has the critic rest while it is
        right about more than 80 % of the last batch; off does not even watch.
    batch
        Images per step.
    eval_every
        Images between two measurements against held-out samples; the best model is kept as best.safetensors.
    fit
        How pictures that are not square are made so.
    settings
        Any field of the recipe, e.g. --set train.learning_rate=1e-3 (repeatable).
    device
        auto, cpu, cuda, cuda:1, ...
    precision
        auto times both.
    ranks
        Processes on this machine: a number, or auto for what is fastest.
    quiet
        Print nothing but errors.
    json
        Print JSON rows on standard output.
    """
    from ganvas.ranks import connect
    from ganvas.resolve import resolve
    from ganvas.run import start
    from ganvas.watch import play

    chosen = resolve(
        recipe,
        dict(setting(text) for text in settings or []),
        data=data,
        minutes=minutes,
        images=images,
        seed=seed,
        objective=objective,
        balance=balance,
        batch=batch,
        eval_every=eval_every,
        fit=fit,
        precision=precision,
    )
    peers = connect()
    return play(start(chosen, out=out, minutes=minutes, device=device, ranks=ranks, peers=peers), peers, quiet, json)


@app.command
def resume(run: Path, *, quiet: Quiet = False, json: Quiet = False) -> int:
    """Continue an interrupted run, bit for bit, as if nothing had happened.

    Parameters
    ----------
    run
        The run folder.
    """
    from ganvas.ranks import connect
    from ganvas.run import open_run
    from ganvas.watch import play

    return play(open_run(run), connect(), quiet, json)


@app.command
def sample(
    run: Path,
    *,
    count: Annotated[Whole | None, Parameter(name=["-n", "--count"])] = None,
    sampling: Sampling = Sampling(),
    out: Path | None = None,
    columns: Whole | None = None,
    temperature: float = 1.0,
    running: Running = Running(),
) -> None:
    """Draw samples from a trained model into a sheet (.png) or an archive (.npz); solids also as .gif, .obj and .stl.

    Text is printed, or written to a .txt.

    Parameters
    ----------
    run
        A run folder or a bundle.
    count
        How many (64; of voxels, one of each class in a GIF and one in a mesh).
    out
        .png: a sheet. .npz: images uint8 [N, H, W, C] (or voxels, points) and labels, any number of them. Solids: .gif turns
        them round, .obj and .stl are closed meshes. Text: .txt, or a page as .png; without it, it is printed. The default is
        sheet.png, or sheet-2.png, ... where that exists: only a file that is named here is replaced.
    temperature
        Of a model of text: more typical and less varied lines below 1.
    """
    from ganvas.model import load

    model, options = load(run, running.device), sampling.options()
    if out is None and model.writes:
        lines = model.sample(64 if count is None else count, temperature=temperature, **options)
        print(json_.dumps({"lines": lines}) if running.json else "\n".join(lines))
        return
    out = free_path(out, "sheet.png")
    model.save(out, count, columns=columns, temperature=temperature, **options)
    saved(out, running.quiet, running.json)


@app.command
def data(
    path: str,
    *,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    out: Path | None = None,
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Say what was understood of a data set, before training on it, and save a preview sheet.

    Parameters
    ----------
    path
        A folder, zip, IDX, .npy, .npz, CSV or .txt (an item a line), or the name of a built-in source.
    out
        The preview; the default is preview.png, or preview-2.png, ... where that exists.
    """
    from ganvas.data.report import inspect

    report, out = inspect(path, fit), free_path(out, "preview.png")
    report.preview(out)
    if json:
        print(json_.dumps({**report.to_dict(), "preview": str(out)}))
    elif not quiet:
        print(report.text())
        print(f"preview: {out}")
    for name, reason in report.skipped:
        print(f"skipped {name}: {reason}", file=sys.stderr)


@app.command
def recipes(*, json: Quiet = False) -> None:
    """List the recipes: their paper, data, parameters and minutes."""
    from ganvas.catalogue import catalogue

    rows = catalogue()
    if json:
        print(json_.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("recipe", "paper", "data", "parameters", "minutes"):
        table.add_column(title, no_wrap=True, min_width=max(len(row["name"]) for row in rows) if title == "recipe" else None)
    table.add_column("what")
    for row in rows:
        paper = row["paper"].rpartition(" ")[2].removeprefix("arXiv:")
        table.add_row(row["name"], paper, row["data"], f"{row['parameters']:,}", f"{row['minutes']:g}", row["about"])
    console = Console()
    console.print(table)
    footer = "\npapers by arXiv number; minutes on the 2-core reference machine; start one with: ganvas train NAME"
    console.print(footer, soft_wrap=True)


@app.command
def bench(recipe: str, *, data: str | None = None, ranks: str = "auto", seconds: float = 20.0, json: Quiet = False) -> None:
    """Time a recipe's steps against a plain loop over the same networks, and against the machine's convolution peak.

    Parameters
    ----------
    data
        Instead of the recipe's own, as for `ganvas train`.
    seconds
        How long the comparison runs.
    """
    from ganvas.bench import bench as measure
    from ganvas.resolve import resolve

    report = measure(resolve(recipe, data=data), ranks=ranks, seconds=seconds)
    print(json_.dumps(report.to_dict()) if json else report.text())


def main() -> None:
    """Run a command; an error is one line on standard error and an exit code of its kind."""
    conclude(lambda: app(sys.argv[1:], exit_on_error=False, print_error=False))
