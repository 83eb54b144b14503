"""Choose how the steps of a run are executed (`Plan`), by timing real steps of the recipe: about three seconds.

What is timed: memory formats on a CPU, bfloat16 against float32, and one process against one for each core or GPU.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ganvas.config import Recipe
from ganvas.core.capabilities import Grows
from ganvas.core.game import Game, Step, Terms
from ganvas.data.dataset import Dataset
from ganvas.engine.balance import MEASURE
from ganvas.engine.loop import train
from ganvas.engine.state import State, new_state
from ganvas.errors import ResourceError, UsageError
from ganvas.games.registry import build
from ganvas.runtime.device import available_cores, find_device, has_bfloat16, max_threads
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import MOST, Plan, Precision
from ganvas.runtime.probe import bfloat16_is_fast, wait_for
from ganvas.runtime.process_settings import apply_plan, keep_freed_memory, keep_process_settings
from ganvas.runtime.processes import local_ranks
from ganvas.utils.parsing import parse_index, printable, require_count
from ganvas.utils.settings import to_dict

SHORT = 20.0  # seconds of training: a shorter run does not pay for the start of further processes
ENDLESS = 10**15  # images of a run that is only timed: no timing comes near its end
LATE = 9 * ENDLESS // 10  # where plans are compared: networks that grow have their full size there
GRID = 400  # places in a run at which it is asked for its resolution
BURST = 4  # steps between two looks at the clock
COMPARE = 2.0  # seconds in which plans are compared
PROBE = 3.0  # seconds in which minutes become images


def choose_plan(recipe: Recipe, data: Dataset, device: str = "auto", ranks: str = "1") -> Plan:
    """The fastest plan for the recipe on this machine. `ranks` is a number or "auto".

    Raises:
        UsageError: the batch cannot be divided evenly among the ranks.
        ResourceError: this machine has no such device.
    """
    where, count = find_device(device), _parse_ranks(recipe, "1" if ranks == "auto" else ranks)
    keep_freed_memory()
    with keep_process_settings():
        plan = _choose_cpu_plan(recipe, data, count) if where.type == "cpu" else _choose_gpu_plan(recipe, data, where, count)
        if ranks == "auto":
            plan = _try_more_ranks(recipe, data, plan)
    return replace(plan, sync_batch_norm=plan.ranks > 1 and has_batch_norm(recipe))


def _parse_ranks(recipe: Recipe, ranks: str) -> int:
    """The number of ranks. Raises: UsageError: it is no number, or the batch cannot be divided among so many."""
    batch, count = recipe.train.batch, parse_index(ranks)
    if not count:
        raise UsageError(f"--ranks: expected a number or auto, got {printable(ranks, 60)!r}")
    require_count("--ranks", count, 1, MOST)
    if batch % count:
        raise UsageError(f"a batch of {batch} does not split evenly over {ranks} ranks; choose --batch or --ranks")
    if batch // count < 2:
        raise UsageError(f"a batch of {batch} leaves {ranks} rank(s) less than 2 images each; choose a larger --batch")
    return count


def _choose_gpu_plan(recipe: Recipe, data: Dataset, where: torch.device, ranks: int) -> Plan:
    if recipe.train.precision == "bfloat16" and where.type == "cuda" and not has_bfloat16(where):
        raise ResourceError(f"{where} computes no bfloat16 in hardware; use --precision float32")
    precision = _choose_precision(recipe, data, str(where))
    return Plan(device=str(where), precision=precision, ranks=ranks, threads=min(4, max_threads(), _count_cores(ranks)))


def _choose_cpu_plan(recipe: Recipe, data: Dataset, ranks: int) -> Plan:
    """The faster memory format, by timing one process with all cores."""
    wide = Plan(precision=_choose_precision(recipe, data, "cpu"), threads=max_threads())
    plans = [replace(wide, channels_last=last) for last in ((True, False) if data.modality.grid else (False,))]
    if len(plans) == 1:
        # Nothing to time. One step shows, before there is a run folder, whether the recipe can be played.
        next(train(initial_state(recipe, wide), data, recipe.train))
        best = plans[0]
    else:
        speeds = _time_plans(recipe, data, plans, COMPARE)
        best = max(plans, key=lambda plan: speeds[plan])
    return replace(best, ranks=ranks, threads=min(max_threads(), _count_cores(ranks)))


def _choose_precision(recipe: Recipe, data: Dataset, device: str) -> Precision:
    if recipe.train.precision != "auto":
        return recipe.train.precision
    # Points need float32: bfloat16 has one number for 1.00 and 1.001.
    return "bfloat16" if data.modality.grid and bfloat16_is_fast(device) else "float32"


def _count_cores(ranks: int) -> int:
    """The cores for each rank."""
    return max(1, len(available_cores()) // ranks)


def _try_more_ranks(recipe: Recipe, data: Dataset, alone: Plan) -> Plan:
    """The plan of one rank, or one with a rank for each core (of a CPU) or GPU if their real processes are faster.

    The speed of one rank times their number would be too high: together they share the memory bus, and exchange gradients.
    """
    on_cpu = alone.device == "cpu"
    gpus = torch.cuda.device_count() if alone.device == "cuda" else 1  # "cuda:1" names one GPU for all ranks
    count = max_threads() if on_cpu else gpus
    if count < 2 or recipe.train.batch % count or recipe.train.batch // count < 2:
        return alone
    together = replace(alone, ranks=count, threads=1 if on_cpu else max(1, min(4, _count_cores(count))))
    together = replace(together, sync_batch_norm=has_batch_norm(recipe))
    speed = _time_plans(recipe, data, [alone], COMPARE / 2)[alone]
    if recipe.train.images / speed < SHORT:
        return alone
    return together if _time_processes(recipe, data, together, COMPARE) > speed else alone


def has_batch_norm(recipe: Recipe) -> bool:
    """Whether a network of the recipe's game normalizes over the batch."""
    with torch.random.fork_rng(devices=[]):
        return any(isinstance(module, _BatchNorm) for module in build(copy.deepcopy(recipe)).modules())


def _time_plans(recipe: Recipe, data: Dataset, plans: list[Plan], seconds: float) -> dict[Plan, float]:
    """Images per second of one rank of each plan, on its share of the batch: the best of some bursts.

    The plans take turns, so that other work on the machine slows all of them alike.
    """
    steps, best = {}, dict.fromkeys(plans, 0.0)
    for plan in plans:
        config = replace(recipe.train, batch=recipe.train.batch // plan.ranks, images=ENDLESS)
        steps[plan] = train(initial_state(recipe, plan, LATE), data, config)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not all(best.values()):
        for plan in plans:
            with use_threads(plan.threads):
                next(steps[plan])  # the caches still hold the data of the other plan
                best[plan] = max(best[plan], _time_burst(steps[plan], recipe.train.batch // plan.ranks, plan.device))
    return best


def _time_processes(recipe: Recipe, data: Dataset, plan: Plan, seconds: float) -> float:
    """Images per second of all ranks of the plan, in real processes, which end afterwards."""
    best, over = 0.0, [False]
    with tempfile.TemporaryDirectory() as folder:
        # The other ranks are `ganvas.training.worker` processes, which read the recipe and the plan from a run folder.
        (Path(folder) / "recipe.json").write_text(json.dumps(to_dict(recipe)), encoding="utf-8")
        (Path(folder) / "env.json").write_text(json.dumps({"plan": asdict(plan), "minutes": None}), encoding="utf-8")
        with local_ranks(Path(folder), plan, Ranks(), timed=True) as peers:
            steps = train_endlessly(recipe, data, plan, peers, lambda: over[0])
            next(steps)  # this waits until the other ranks have started
            end = time.perf_counter() + seconds
            while time.perf_counter() < end or not best:
                best = max(best, _time_burst(steps, recipe.train.batch, plan.device))
            over[0] = True
            for _ in steps:  # the step in which all ranks learn that it is over
                pass
    return best


def _time_burst(steps: Iterator[object], batch: int, device: str) -> float:
    """Images per second of the next few steps, each with `batch` images."""
    wait_for(device)
    start = time.perf_counter()
    for _ in range(BURST):
        next(steps)
    wait_for(device)
    return BURST * batch / (time.perf_counter() - start)


def train_endlessly(
    recipe: Recipe, data: Dataset, plan: Plan, peers: Ranks, stop: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Steps of the recipe with networks of their full size, until `stop` says so on rank 0."""
    apply_plan(plan, peers.rank)
    for _ in train(initial_state(recipe, plan, LATE), data, replace(recipe.train, images=ENDLESS), peers):
        yield
        if peers.any(stop()):
            return


def initial_state(recipe: Recipe, plan: Plan, items: int = 0) -> State:
    """The recipe's game at the start of training: a function of the seed alone. `items` counts as used already."""
    torch.manual_seed(recipe.train.seed)
    state = new_state(build(copy.deepcopy(recipe)), recipe.train, plan)
    state.items = items
    return state


def images_in_minutes(
    recipe: Recipe, data: Dataset, plan: Plan, ranks: Ranks, minutes: float, held_out: Dataset | None = None
) -> tuple[int, float]:
    """How many images fit into `minutes`, and the mean images per second of a whole run: about three seconds of real steps.

    A game that grows is slower at the end than at the start. So steps are timed in every part of a run, and the cost of a part
    counts as often as it has images. `held_out` are the samples of the run on which its discriminators are watched.
    """
    state = initial_state(recipe, plan)
    parts = list_parts(state.game)
    steps = train(state, data, replace(recipe.train, images=ENDLESS), ranks, held_out)
    mean, cycle = 0.0, MEASURE
    for part in parts:
        seconds, cycle = _time_part(part, state, steps, ranks, PROBE / len(parts), cycle)
        mean += part.share * seconds
    batch = recipe.train.batch
    speed = float(ranks.broadcast(1 / mean))  # the clocks of two ranks differ, and the number of images must not
    return max(1, round(speed * 60 * minutes / batch)) * batch, speed


@dataclass(frozen=True)
class Part:
    """A part of a run in which an image always costs about the same."""

    share: float  # of the images of the run
    middle: float  # its progress, from 0 to 1


def list_parts(game: Game) -> list[Part]:
    """The parts of a run of this game, in order: two for each resolution that it grows to, and for each change of its turns."""

    def describe_step(progress: float) -> object:
        game.advance(Step(items_seen=round(progress * ENDLESS), total_items=ENDLESS))
        grown = game.resolutions if isinstance(game, Grows) else ()
        return grown, [(turn.name, turn.repeat) for turn in game.turns()]

    seen = [describe_step((k + 0.5) / GRID) for k in range(GRID)]
    parts, first = [], 0
    for _, same in itertools.groupby(seen):
        count = len(list(same))
        # In the first half of a resolution its layers may fade in, beside the ones before.
        parts += [Part(count / GRID / 2, (first + count * place) / GRID) for place in (0.25, 0.75)]
        first += count
    return parts


def _time_part(
    part: Part, state: State, steps: Iterator[tuple[Step, Terms]], ranks: Ranks, seconds: float, cycle: int
) -> tuple[float, int]:
    """The mean seconds for an image in this part of a run, and the steps after which the lazy terms known so far come again.

    It takes `seconds`, rounded up to whole cycles. A lazy term is known from the first move of its turn, which always has it.
    """
    state.items = round(part.middle * ENDLESS)
    warm, _ = next(steps)  # the first step of a larger network allocates memory
    cycle = math.lcm(cycle, *warm.lazy.values())
    first, count, start = state.items, 0, time.perf_counter()
    while not count or count % cycle or not ranks.any(time.perf_counter() - start > seconds):
        next(steps)
        count += 1
    # Not the batch times the steps: a step in which D moves five times uses five batches.
    return (time.perf_counter() - start) / (state.items - first), cycle


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Run a block with `count` threads of PyTorch."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
