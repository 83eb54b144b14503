"""Train from Python: the arguments of the command line, and the model at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas.config import Recipe
from ganvas.fit import fit as play
from ganvas.model import Model, load
from ganvas.ranks import Ranks, crew
from ganvas.resolve import resolve
from ganvas.run import Run, open_run, start


def train(
    recipe: str | Recipe,
    *,
    data: str | Path | None = None,
    minutes: float | None = None,
    images: int | None = None,
    out: str | Path | None = None,
    seed: int | None = None,
    objective: str | None = None,
    balance: str | None = None,
    batch: int | None = None,
    eval_every: int | None = None,
    fit: str | None = None,
    precision: str | None = None,
    device: str = "auto",
    **settings: Any,
) -> Model:
    """Train a recipe in this process and return the model; the arguments are those of `ganvas train`.

    `settings` are further fields by dotted path: `**{"train.learning_rate": 1e-3}`.

    Raises:
        GanvasError: what `ganvas train` would end with.
    """
    chosen = resolve(
        recipe,
        settings,
        data=None if data is None else str(data),
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
    return _trained(start(chosen, out=Path(out) if out else None, minutes=minutes, device=device))


def resume(folder: str | Path, device: str | None = None) -> Model:
    """Continue the run in `folder` to its end, on `device` (None: the one it has), and return the model.

    Raises:
        GanvasError: what `ganvas resume` would end with.
    """
    run = open_run(Path(folder))
    if not run.finished:
        run.move(device, Ranks())
    return _trained(run)


def _trained(run: Run) -> Model:
    if not run.finished:
        run.hold(Ranks())
        try:
            with crew(run.folder, run.plan, Ranks()) as peers:
                for _ in play(run, peers):
                    pass
        finally:
            run.release()
    return load(run.folder)
