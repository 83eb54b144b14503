"""The verbs of the command line that look closer at a model. Thin: parse, call the library, print."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import HOW, METRICS_HELP, Device, Label, Quiet, Running, RunPath, Writing, parse_labels, parse_numbers, parse_setting
from ganvas.errors import UsageError
from ganvas.utils.whole_numbers import Whole


def evaluate(
    target: str,
    *,
    against: str | None = None,
    metrics: Annotated[str | None, Parameter(help=METRICS_HELP)] = None,
    samples: Whole = 10_000,
    seed: Whole = 0,
    split: Literal["train", "test"] | None = None,
    extractor: str | None = None,
    temperature: float = 1.0,
    running: Running = Running(),
) -> None:
    """Measure a model, or a folder of pictures, against real data: each number with its interval and its floor.

    Parameters
    ----------
    target
        A run folder, a bundle, or pictures (a folder, zip, .npz).
    against
        Real data to compare with; the default is what the model was trained on.
    samples
        Of each side.
    seed
        Of the first sample.
    split
        Split of the reference data; the default is test if it exists. Tune on train, report on test.
    extractor
        digits, clothes, photos, inception, or the run of a classifier: whose features are compared.
    temperature
        For text models: below 1, lines are more typical and less varied.
    """
    from ganvas.evaluation.evaluate import evaluate as measure
    from ganvas.evaluation.evaluate import record

    wanted = metrics.split(",") if metrics else None
    chosen: dict[str, Any] = {"samples": samples, "seed": seed, "split": split, "temperature": temperature}
    report = measure(target, against=against, metrics=wanted, network=extractor, device=running.device, **chosen)
    record(Path(target), report, seed)
    if running.json:
        print(json_.dumps(report.to_dict()))
    elif not running.quiet:
        print(report.text())


def doctor(run: Path, *, device: Device = "auto", json: Quiet = False) -> None:
    """Find problems of a run, each with its evidence and one flag to try.

    Parameters
    ----------
    run
        The run folder.
    """
    from ganvas.training.doctor import diagnose, format_findings

    found = diagnose(run, device)
    print(json_.dumps([finding.to_dict() for finding in found]) if json else format_findings(found))


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
        How many pictures.
    seed
        Chooses the pictures.
    """
    from ganvas.editing import latent_map as editing_latent_map

    out = to.path("reconstruction.png")
    report_path(editing_latent_map.reconstruct(run, out, data=data, count=count, seed=seed, device=to.device), to.quiet, to.json)


def latent_map(
    run: RunPath,
    *,
    data: str | None = None,
    side: Whole | None = None,
    to: Writing = Writing(),
) -> None:
    """Save a map of a two-dimensional latent space, and the codes of the test images in it.

    Parameters
    ----------
    data
        Other pictures than those it was trained on.
    side
        Pictures in a row of the map.
    """
    from ganvas.editing import latent_map as editing_latent_map

    out = to.path("map.png")
    report_path(editing_latent_map.latent_map(run, out, data=data, side=side, device=to.device), to.quiet, to.json)


def strip(
    run: RunPath,
    *,
    by: Literal["resolution", "truncation", "mixing"],
    seeds: str = "0-7",
    label: Label = None,
    cut: Whole | None = None,
    to: Writing = Writing(),
) -> None:
    """Save the same latents at every resolution, truncation or style mixing, side by side.

    Parameters
    ----------
    by
        resolution: as a growing or summing generator draws it at each. truncation: ever nearer to the mean style. mixing: the
        first half of the seeds down the side in coarse layers, the rest along the top in fine ones.
    seeds
        Which latents, e.g. 1,5,9 or 0-7.
    cut
        The layer from which the fine styles are taken; the default is the middle.
    """
    from ganvas.editing.strips import strip as draw
    from ganvas.inference.model import load

    out = to.path("strip.png")
    draw(load(run, to.device), out, by, parse_numbers(seeds), label=parse_labels(label), cut=cut)
    report_path(out, to.quiet, to.json)


def branch(
    run: Path,
    *,
    settings: Annotated[list[str], Parameter(name="--set", negative="")],
    out: Path,
    at: Whole | None = None,
    device: Annotated[str | None, Parameter(group=HOW)] = None,
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Start a new run from a checkpoint of another run, with other settings; `ganvas resume` then trains it.

    Parameters
    ----------
    run
        The run folder it begins in. One trained with --set train.keep_all=true has a checkpoint for every picture.
    settings
        Settings to change, e.g. --set train.learning_rate=1e-4 (repeatable). The networks cannot change.
    out
        The new run folder.
    at
        The checkpoint, as a number of images; the default is the newest one.
    device
        auto, cpu, cuda, cuda:1, ...; the default is that of the other run.
    """
    from ganvas.training.branch import branch as begin

    begin(run, out, dict(parse_setting(text) for text in settings), at, device)
    report_path(out, quiet, json)


def studio(
    *,
    port: Whole = 8765,
    host: str = "127.0.0.1",
    i_understand: Annotated[bool, Parameter(negative="")] = False,
    runs: Path = Path("runs"),
    browser: bool = True,
    json: Quiet = False,
) -> None:
    """Open the studio, a local web page that shows training live; Ctrl-C stops it.

    Parameters
    ----------
    port
        0: any free one.
    host
        The address of the server. Any other address than the loopback address needs --i-understand.
    i_understand
        Confirms that another address gives others on the network access; without it, the risks are printed.
    runs
        The folder that run folders lie in.
    browser
        Open the link in a browser.
    """
    from importlib.util import find_spec

    if missing := [name for name in ("starlette", "uvicorn", "websockets") if not find_spec(name)]:
        raise UsageError(f"the studio needs {' and '.join(missing)}: pip install 'ganvas[studio]'")
    from ganvas.studio.auth import Access
    from ganvas.studio.server import serve

    def say(access: Access) -> None:
        text = f"studio: {access.url}\n  this link opens it once; Ctrl-C ends the studio"
        print(json_.dumps({"url": access.url, "host": access.host, "port": access.port}) if json else text, flush=True)

    serve(say, port=port, host=host, runs=runs, browser=browser, i_understand=i_understand)


def report_path(path: Path, quiet: bool, as_json: bool) -> None:
    """Say where something was written."""
    if as_json:
        print(json_.dumps({"out": str(path)}))
    elif not quiet:
        print(path)
