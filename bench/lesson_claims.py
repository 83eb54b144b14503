"""What the lessons of /play say, over many seeds: `python bench/lesson_claims.py 20 [LESSON ...]`; a JSON row for each seed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median

import torch

from ganvas.studio.play import scene
from ganvas.studio.play.charts import Charts
from ganvas.studio.play.play_lessons import LESSONS
from ganvas.studio.play.play_presets import parse_link, shorten
from ganvas.studio.play.simulation import Simulation

Numbers = dict[str, float]


def begin(name: str, seed: int) -> Simulation:
    """The game of a lesson, with another seed."""
    return Simulation(replace(LESSONS[name].setup, seed=seed))


def begin_cured(name: str, seed: int) -> Simulation:
    """The new game that a cure begins."""
    return Simulation(replace(parse_link({**shorten(LESSONS[name].setup), **LESSONS[name].cure}), seed=seed))


def measure(game: Simulation) -> Numbers:
    """KL, JS and modes of the fakes of now."""
    charts = Charts()
    charts.measure(game)
    return {name: float(value) for name, value in charts.latest.items()}


def find_swing(game: Simulation, steps: int) -> float:
    """How far the mean of the fakes moves during some steps: its largest value minus its smallest."""
    means = []
    for _ in range(steps // 20):
        game.play("b", 20)
        with torch.no_grad():
            means.append(float(game.game.sample(scene.draw_fixed_noise(game, scene.FAKES)).mean()))
    return max(means) - min(means)


def find_pull(game: Simulation) -> float:
    """The mean length of an arrow."""
    return float(torch.as_tensor(scene.collect_arrays(game)["pull"]).norm(dim=1).mean())


def check_tour(seed: int) -> Numbers:
    """D near the best D after its moves; D, G and KL near equilibrium after 2,000 turns."""
    game = begin("tour", seed)
    game.play("d", 200)
    arrays = scene.collect_arrays(game)
    known = arrays["density"] + arrays["fake_density"] > 0.05
    found = {"gap_to_best": float(abs(arrays["curve"] - arrays["best"])[known].mean())}
    game.play("g", 6)
    game.play("b", 2_000)
    return {**found, "loss_D": game.terms["D"], **scene.measure_realness(game), **measure(game)}


def check_collapse(seed: int) -> Numbers:
    """Modes at step 500 of the broken game, and at step 2,500 of the cured one."""
    broken, cured = begin("collapse", seed), begin_cured("collapse", seed)
    broken.play("b", 500)
    cured.play("b", 2_500)
    before, after = measure(broken), measure(cured)
    return {"broken": before["captured"], "cured": after["captured"], "kl": after["kl"]}


def check_vanishing(seed: int) -> Numbers:
    """The length of the arrows under both losses, for the same D."""
    game = begin("vanishing", seed)
    game.play("d", 400)
    before = find_pull(game)
    game.change("objective", "nonsaturating")
    return {"before": before, "after": find_pull(game)}


def check_oscillation(seed: int) -> Numbers:
    """How far the mean of the fakes swings early, late, and after the cure of the early game."""
    game = begin("oscillation", seed)
    game.play("b", 300)
    early = find_swing(game, 300)
    game.save_state()
    place = game.place
    game.play("b", 600)
    late = find_swing(game, 300)
    game.rewind(place)
    for name, value in LESSONS["oscillation"].cure.items():
        game.change(name, value)
    game.play("b", 600)
    return {"early": early, "late": late, "cured": find_swing(game, 300), **measure(game)}


def check_runaway(seed: int) -> Numbers:
    """The loss of D at step 60, and the largest one within 1,000 steps of the cured game."""
    broken, cured = begin("runaway", seed), begin_cured("runaway", seed)
    broken.play("b", 60)
    largest = 0.0
    for _ in range(20):
        cured.play("b", 50)
        largest = max(largest, abs(cured.terms["D"]), abs(cured.terms["G"]))
    return {"broken": broken.terms["D"], "cured": largest, **measure(cured)}


CHECKS: Mapping[str, Callable[[int], Numbers]] = {
    "tour": check_tour,
    "collapse": check_collapse,
    "vanishing": check_vanishing,
    "oscillation": check_oscillation,
    "runaway": check_runaway,
}


def main() -> None:
    """Print a row for each lesson and seed, then the smallest, middle and largest value of each number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, help="how many, from 0")
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=f"of {', '.join(CHECKS)}; all if none is named")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # as a session of /play
    torch.set_flush_denormal(True)
    for name in arguments.lessons or CHECKS:
        rows = []
        for seed in range(arguments.seeds):
            rows.append(CHECKS[name](seed))
            print(json.dumps({"lesson": name, "seed": seed, **{key: round(x, 4) for key, x in rows[-1].items()}}), flush=True)
        for key in rows[0]:
            values = [row[key] for row in rows]
            print(f"# {name} {key}: {min(values):.3g} to {max(values):.3g}, middle {median(values):.3g}", flush=True)


if __name__ == "__main__":
    main()
