"""Is the doctor right? Train the runs of doctor_runs.py, diagnose them, and print a Markdown table.

    python bench/doctor.py [NAMES]             # all runs, or some: settings, what is wrong, verdict, evidence, right or not
    python bench/doctor.py --advice [NAMES]    # train the bad ones again with the advice: the distance before and after

Runs are kept in --folder and not trained twice. Each is trained by one thread, in seconds to three minutes. `--pictures` names
colour pictures for the runs that need some; here it is noto.zip, the 1,396 emoji of Noto at 64 pixels.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from doctor_runs import CASES, PICTURES, Case, make_data

from ganvas.errors import DivergedError
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.runtime.plan import Plan
from ganvas.runtime.probe import bfloat16_is_fast
from ganvas.training.run_folder import Run
from ganvas.training.trainer import fit


def train(name: str, case: Case, folder: Path, pictures: Path | None, settings: dict[str, str] | None = None) -> Path:
    """The folder of the run, trained unless it is there. `settings` replace some of the case's."""
    out = folder / name
    if (out / "trained").exists():
        return out
    chosen = {**case.settings, "train.snapshots": "1", **(settings or {})}
    if case.data and "data.source" not in chosen:
        chosen["data.source"] = str(pictures if case.data == PICTURES else make_data(case.data, folder / "data"))
    start = time.perf_counter()
    recipe = resolve_recipe(case.recipe, chosen)
    data = open_data(recipe)
    recipe = adapt_recipe(recipe, data)
    recipe = replace(recipe, train=replace(recipe.train, checkpoint_every=max(1, recipe.train.images // 3)))
    precision = "bfloat16" if data.modality.grid and bfloat16_is_fast("cpu") else "float32"
    run = Run(out, recipe, Plan(precision=precision, threads=1))
    out.mkdir(parents=True, exist_ok=True)
    run.write()
    run.attach_data(data)
    try:
        for _ in fit(run):
            pass
    except DivergedError as failure:
        print(f"# {name}: {failure}", flush=True)
    (out / "trained").write_text(f"{time.perf_counter() - start:.0f}")
    print(f"# {name}: trained in {time.perf_counter() - start:.0f} s", flush=True)
    return out


def main() -> None:
    """Train and diagnose the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(CASES)}")
    parser.add_argument("--folder", type=Path, default=Path("doctor-runs"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--train-only", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.names or CASES:
        case = CASES[name]
        if case.data == PICTURES and arguments.pictures is None:
            print(f"# {name}: left out; it needs --pictures")
            continue
        train(name, case, arguments.folder, arguments.pictures)


if __name__ == "__main__":
    main()
