"""The verbs of the command line that measure. Thin: parse, call the library, print."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from ganvas.words import Whole

HOW = Group("How it runs")
Quiet = Annotated[bool, Parameter(negative="", group=HOW)]


def evaluate(
    target: str,
    *,
    against: str | None = None,
    metrics: str | None = None,
    samples: Whole = 10_000,
    seed: Whole = 0,
    split: Literal["train", "test"] | None = None,
    extractor: str | None = None,
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Measure a model, or a folder of pictures, against real data: each number with its interval and its floor.

    Parameters
    ----------
    target
        A run folder, a bundle, or pictures (a folder, zip, .npz).
    against
        Real data to compare with; the default is what the model was trained on.
    metrics
        Some of fd,kd,precision,recall,density,coverage,score,requested,swd,msssim,memorisation,modes,agreement,
        connected,ppl,cas.
    samples
        Of each side.
    seed
        Of the first sample.
    split
        Of the reference; the default is test where there is one. Tune on train, report on test.
    extractor
        digits, clothes, photos, or the run of a classifier: whose features are compared.
    """
    from ganvas.evaluate import evaluate as measure
    from ganvas.evaluate import record

    wanted = metrics.split(",") if metrics else None
    report = measure(target, against=against, metrics=wanted, samples=samples, seed=seed, network=extractor, split=split)
    record(Path(target), report, seed)
    if json:
        print(json_.dumps(report.to_dict()))
    elif not quiet:
        print(report.text())


def doctor(run: Path, *, json: Quiet = False) -> None:
    """Name what went wrong in a run, with the evidence and a flag to try; or say that nothing did.

    Parameters
    ----------
    run
        The run folder.
    """
    from ganvas.doctor import diagnose, said

    found = diagnose(run)
    print(json_.dumps([finding.to_dict() for finding in found]) if json else said(found))
