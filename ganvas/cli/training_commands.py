"""The commands of a run: `train`, `resume`, `branch`, `doctor` and `bench`."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import HOW, Device, Json, Reporting, parse_settings, report_path
from ganvas.training.options import TrainOptions
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

Other = Annotated[str | None, Parameter(group=HOW, help="auto, cpu, cuda, cuda:1, ...; the default is that of the run.")]


def train(
    recipe: str | None = None,
    *,
    options: Annotated[TrainOptions, Parameter(name="*")] = TrainOptions(),
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    reporting: Reporting = Reporting(),
) -> int:
    """Train a recipe (see `ganvas recipes`); the same command with --out continues an unfinished run.

    Parameters
    ----------
    recipe
        Its name, e.g. cgan-mnist. Without one, that of the model of --from, or the recipe that suits the data of --data.
    settings
        Any field of the recipe, e.g. --set train.learning_rate=1e-3 (repeatable).
    """
    from ganvas.cli.terminal import show_training
    from ganvas.config import Recipe
    from ganvas.games.recipes import resolve_recipe
    from ganvas.runtime.distributed import connect
    from ganvas.training.chosen import choose
    from ganvas.training.start import start_run
    from ganvas.training.trackers import require_tracker

    require_tracker(options.log)
    changes = parse_settings(settings)
    wanted: str | Recipe | None = recipe
    if wanted is None:
        wanted, options, changes, told = choose(options, changes)
        if told and not reporting.quiet:
            print(told, file=sys.stderr)
    chosen, peers = resolve_recipe(wanted, changes, **options.recipe_fields), connect()
    run = start_run(chosen, **options.run_fields, peers=peers)
    return show_training(run, peers, reporting.quiet, reporting.json, options.log)


def resume(
    run: Path,
    *,
    data: str | None = None,
    accept_data: Annotated[bool, Parameter(negative="")] = False,
    device: Other = None,
    log: Annotated[Literal["tensorboard"] | None, Parameter(group=HOW)] = None,
    reporting: Reporting = Reporting(),
) -> int:
    """Continue an interrupted run; on a CPU every bit is as in an unbroken run.

    Parameters
    ----------
    run
        The run folder.
    data
        Where the data of the run is now, if it was moved.
    accept_data
        Continue although the data has changed since the start of the run.
    device
        auto, cpu, cuda, cuda:1, ...; the default is that of the run. Another device rounds numbers differently.
    log
        Another place for the whole log, as of `train`.
    """
    from ganvas.cli.terminal import show_training
    from ganvas.runtime.distributed import connect
    from ganvas.training.run_folder import open_run
    from ganvas.training.trackers import require_tracker

    require_tracker(log)
    opened, peers = open_run(run, data), connect()
    opened.prepare(device, peers, accept_data)
    return show_training(opened, peers, reporting.quiet, reporting.json, log)


def branch(
    run: Path,
    *,
    out: Path,
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    data: str | None = None,
    at: Whole | None = None,
    device: Other = None,
    reporting: Reporting = Reporting(),
) -> None:
    """Start a new run from a checkpoint of another run, with other settings or data; `ganvas resume` then trains it.

    Parameters
    ----------
    run
        The run folder with the checkpoint. A run with --set train.keep_all=true has one for every snapshot.
    settings
        Settings to change, e.g. --set train.learning_rate=1e-4 (repeatable). The networks cannot change.
    data
        Other data to train on, also with other classes: a class of the same name keeps its weights, a new one starts anew.
    out
        The new run folder.
    at
        The checkpoint, as a number of images; the default is the newest one.
    """
    from ganvas.training.branch import branch as start_branch

    changes = parse_settings(settings)
    notice = start_branch(run, out, changes, at, device, data).notice
    if notice and not reporting.quiet:
        print(notice, file=sys.stderr)
    report_path(out, reporting)


def doctor(run: Path, *, report: bool = False, device: Device = "auto", json: Json = False) -> None:
    """Find problems of a run, each with its evidence and one flag to try.

    Parameters
    ----------
    run
        The run folder.
    report
        Print one JSON object: the findings, the distance with its floor, and what was not examined. --json prints the list
        of the findings only.
    """
    from ganvas.training.doctor import diagnose, format_findings

    found = diagnose(run, device)
    if report:
        print(json_.dumps(found.to_dict()))
    else:
        print(json_.dumps([finding.to_dict() for finding in found]) if json else format_findings(found))


def bench(
    recipe: str,
    *,
    data: str | None = None,
    ranks: str = "auto",
    seconds: Real = 20.0,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Time a recipe's steps beside a plain loop with the same networks, and beside the machine's convolution peak.

    Parameters
    ----------
    data
        Data instead of the recipe's own, as for `ganvas train`.
    ranks
        Number of processes on this machine, or auto for the fastest.
    seconds
        How long the steps are compared. Before it a plan is chosen, which takes its own time.
    """
    from ganvas.games.recipes import resolve_recipe
    from ganvas.training.benchmark import bench as measure

    chosen = resolve_recipe(recipe, data=data)
    report = measure(chosen, ranks=ranks, seconds=seconds, device=device, tell=lambda line: print(line, file=sys.stderr))
    print(json_.dumps(report.to_dict()) if json else report.text())
