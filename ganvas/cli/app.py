"""The command line: parse, call the library, show. torch is imported only by the verbs that need it."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from ganvas.cli import comparison_commands, latent_commands, model_commands
from ganvas.cli.arguments import HOW, Quiet, Running, Sampling, free_path, setting
from ganvas.cli.model_commands import saved
from ganvas.runtime.exits import run_and_exit
from ganvas.training.options import TrainOptions
from ganvas.utils.whole_numbers import Whole

app = App(
    name="ganvas",
    help="Train, measure, show and use the family of generative adversarial networks.",
    version_flags=["--version"],
)
app.command(model_commands.evaluate, name="eval")
app.command(model_commands.doctor)
app.command(model_commands.reconstruct)
app.command(model_commands.latent_map, name="map")
app.command(comparison_commands.compare)
app.command(comparison_commands.lesson)
app.command(model_commands.strip)
app.command(model_commands.branch)
app.command(model_commands.studio)
for verb in (
    latent_commands.interpolate,
    latent_commands.traverse,
    latent_commands.plane,
    latent_commands.arithmetic,
    latent_commands.neighbours,
):
    app.command(verb)


@app.command
def train(
    recipe: str,
    *,
    options: Annotated[TrainOptions, Parameter(name="*")] = TrainOptions(),
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    quiet: Quiet = False,
    json: Quiet = False,
) -> int:
    """Train a recipe (see `ganvas recipes`); the same command with --out continues an unfinished run.

    Parameters
    ----------
    recipe
        Its name, e.g. cgan-mnist.
    settings
        Any field of the recipe, e.g. --set train.learning_rate=1e-3 (repeatable).
    quiet
        Print nothing but errors.
    json
        Print JSON rows on standard output.
    """
    from ganvas.cli.terminal import show_training
    from ganvas.games.recipes import resolve_recipe
    from ganvas.runtime.distributed import connect
    from ganvas.training.run_folder import start

    chosen, peers = resolve_recipe(recipe, dict(setting(text) for text in settings or []), **options.recipe_fields), connect()
    return show_training(start(chosen, **options.run_fields, peers=peers), peers, quiet, json)


@app.command
def resume(
    run: Path,
    *,
    device: Annotated[str | None, Parameter(group=HOW)] = None,
    quiet: Quiet = False,
    json: Quiet = False,
) -> int:
    """Continue an interrupted run, on a CPU bit for bit, as if nothing had happened.

    Parameters
    ----------
    run
        The run folder.
    device
        auto, cpu, cuda, cuda:1, ...; the default is the one that the run has. On another one the numbers are rounded
        differently from there on.
    """
    from ganvas.cli.terminal import show_training
    from ganvas.runtime.distributed import connect
    from ganvas.training.run_folder import open_run

    opened, peers = open_run(run), connect()
    if not opened.finished:
        opened.notice = opened.move(device, peers)
    return show_training(opened, peers, quiet, json)


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
    """Generate samples and save a sheet (.png) or an archive (.npz); voxel shapes also as .gif, .obj and .stl.

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
        For text models: below 1, lines are more typical and less varied.
    """
    from ganvas.core.modality import TEXT
    from ganvas.inference.model import load

    model, options = load(run, running.device), sampling.options()
    if out is None and model.modality is TEXT:
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
    """Show how a data set is read, before training on it, and save a preview sheet.

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
    from ganvas.games.registry import list_recipes

    rows = list_recipes()
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
    from ganvas.games.recipes import resolve_recipe
    from ganvas.training.benchmark import bench as measure

    report = measure(resolve_recipe(recipe, data=data), ranks=ranks, seconds=seconds)
    print(json_.dumps(report.to_dict()) if json else report.text())


def main() -> None:
    """Run a command; an error is one line on standard error and an exit code of its kind."""
    run_and_exit(lambda: app(sys.argv[1:], exit_on_error=False, print_error=False))
