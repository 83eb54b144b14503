"""Is the doctor right? Train the runs of doctor_runs.py, diagnose them, and print a Markdown table.

    python bench/doctor.py [NAMES]             # all runs, or some: settings, what is wrong, verdict, evidence, right or not
    python bench/doctor.py --advice [NAMES]    # train the bad ones again with the advice: the distance before and after

Runs are kept in --folder and not trained twice. Each is trained by one thread, in seconds to three minutes (`solids` in ten).
`--pictures` names color pictures for the runs that need some; the table in docs/doctor.md is from noto.zip, the 1,396 emoji of
Noto at 64 pixels. A diagnosis is right if it names what is wrong, or if nothing is wrong and it finds nothing.
An advice helps if what it was given for is gone, and the distance is at least a third nearer to the floor.
"""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from doctor_runs import BAD, CASES, PICTURES, SHAPES, Case, make_data

from ganvas.errors import DivergedError
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.runtime.plan import Plan, Precision
from ganvas.runtime.probe import bfloat16_is_fast
from ganvas.training.doctor import Diagnosis, diagnose
from ganvas.training.run_folder import Run
from ganvas.training.trainer import fit

FLAGS = {"--images": "train.images", "--balance": "train.balance"}  # of the command line -> the setting


def find_data(name: str, folder: Path, pictures: Path | None) -> str:
    """The data source of a case."""
    if name == SHAPES:
        return name
    return str(pictures if name == PICTURES else make_data(name, folder / "data"))


def train(name: str, case: Case, arguments: argparse.Namespace, advice: str = "") -> Path:
    """The folder of the run, trained unless it is there. `advice` is applied to the settings of the case."""
    folder: Path = arguments.folder
    seed: int = arguments.seed
    out = folder / (name + ("-after" if advice else "") + (f"-seed{seed}" if seed else ""))
    if (out / "trained").exists():
        return out
    changed, objective = parse_advice(advice, case.cured)
    chosen = {**case.settings, "train.snapshots": "1", "train.seed": str(seed), **changed}
    if case.data and "data.source" not in changed:
        chosen["data.source"] = find_data(case.data, folder, arguments.pictures)
    start = time.perf_counter()
    recipe = resolve_recipe(case.recipe, chosen, objective=objective)
    data = open_data(recipe)
    recipe = adapt_recipe(recipe, data)
    recipe = replace(recipe, train=replace(recipe.train, checkpoint_every=max(1, recipe.train.images // 3)))
    precision: Precision = "bfloat16" if data.modality.grid and bfloat16_is_fast("cpu") else "float32"
    run = Run(out, recipe, Plan(precision=precision, threads=1))
    out.mkdir(parents=True, exist_ok=True)
    run.write()
    run.attach_data(data)
    try:
        for _ in fit(run):
            pass
    except DivergedError as failure:
        print(f"# {out.name}: {failure}", flush=True)
    (out / "trained").write_text(f"{time.perf_counter() - start:.0f}")
    print(f"# {out.name}: trained in {time.perf_counter() - start:.0f} s", flush=True)
    return out


def parse_advice(advice: str, cured: str) -> tuple[dict[str, str], str | None]:
    """The settings and the objective that an advice names; ({}, None) if nobody can follow it.

    `cured` is the data that follows "--data with ...".
    """
    if advice.startswith("--data"):
        return ({"data.source": cured}, None) if cured else ({}, None)
    settings: dict[str, str] = {}
    objective, words = None, iter(shlex.split(advice))
    for word in words:
        value = next(words, "")
        if word == "--set":
            path, _, text = value.partition("=")
            settings[path] = text
        elif word == "--objective":
            objective = value
        elif word in FLAGS and value != "with":
            settings[FLAGS[word]] = value
        else:
            return {}, None
    return settings, objective


def describe_settings(settings: Mapping[str, str]) -> str:
    """The settings of a case, short: without the names of their groups."""
    return ", ".join(f"{path.rpartition('.')[2]}={value}" for path, value in settings.items())


def is_right(case: Case, found: Diagnosis) -> bool:
    """Whether the diagnosis names what is wrong, or finds nothing if nothing is."""
    names = [finding.name for finding in found]
    return case.expected in names if case.expected else not names


def describe_distance(found: Diagnosis) -> str:
    """The measured distance beside its floor."""
    each = found.distance
    return f"{each.name} {each.value:.3g}, floor {each.floor:.3g}" if each else "not measured"


def print_row(name: str, case: Case, found: Diagnosis) -> bool:
    """Print the row of one run. Returns whether the diagnosis is right."""
    right, verdict = is_right(case, found), ", ".join(finding.name for finding in found) or "no problem"
    evidence = found[0].evidence if found else describe_distance(found)
    run = f"`{case.recipe}` {describe_settings(case.settings)}" + (f"; {case.data}" if case.data else "")
    cells = (name, run, case.wrong or "nothing", verdict, evidence, "yes" if right else "**no**")
    print(f"| {' | '.join(cells)} |", flush=True)
    return right


def print_advice(name: str, case: Case, arguments: argparse.Namespace) -> None:
    """Train one run again with the advice of its first finding, and print the row of before and after."""
    before = diagnose(train(name, case, arguments), "cpu")
    advice = before[0].advice if before else ""
    if parse_advice(advice, case.cured) == ({}, None):
        return
    after = diagnose(train(name, case, arguments, advice), "cpu")
    helped = case.expected not in [each.name for each in after]
    if before.distance and after.distance:
        helped = helped and after.distance.share <= max(0.02, before.distance.share * 2 / 3)
    verdicts = [", ".join(each.name for each in found) or "no problem" for found in (before, after)]
    cells = (name, f"`{advice}`", verdicts[0], describe_distance(before), verdicts[1], describe_distance(after))
    print(f"| {' | '.join(cells)} | {'yes' if helped else 'no'} |", flush=True)


def main() -> None:
    """Train and diagnose the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(CASES)}")
    parser.add_argument("--advice", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("doctor-runs"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train-only", action="store_true")
    arguments = parser.parse_args()
    right = total = 0
    if arguments.advice:
        print("| run | advice | verdict before | distance before | verdict after | distance after | helped |")
        print("|---|---|---|---|---|---|---|")
    elif not arguments.train_only:
        print("| run | recipe and settings | what is wrong | verdict | evidence | right |\n|---|---|---|---|---|---|")
    for name in arguments.names or (BAD if arguments.advice else CASES):
        case = CASES[name]
        if case.data == PICTURES and arguments.pictures is None:
            print(f"# {name}: left out; it needs --pictures")
        elif arguments.advice:
            print_advice(name, case, arguments)
        else:
            folder = train(name, case, arguments)
            if not arguments.train_only:
                right, total = right + print_row(name, case, diagnose(folder, "cpu")), total + 1
    if total:
        print(f"# right: {right} of {total}")


if __name__ == "__main__":
    main()
