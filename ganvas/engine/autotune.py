"""Choose how a run's steps are executed, by timing the recipe's own steps: about three seconds, more for several ranks."""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ganvas.config import Recipe
from ganvas.data.dataset import Dataset
from ganvas.engine.loop import train
from ganvas.engine.state import State, new_state
from ganvas.errors import ResourceError, UsageError
from ganvas.games.registry import build
from ganvas.runtime.device import available_cores, find_device, has_bfloat16, max_threads
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.runtime.probe import bfloat16_is_fast, wait_for
from ganvas.runtime.process_settings import apply_plan, keep_freed_memory, keep_process_settings
from ganvas.runtime.processes import local_ranks
from ganvas.utils.settings import to_dict

SHORT = 20.0  # seconds of training: too few to pay for the start of further processes
ENDLESS = 2**62  # images of a run that is only timed
LATE = 9 * ENDLESS // 10  # the place in it where plans are compared: networks that grow have grown
PLACES = range(ENDLESS // 16, ENDLESS, ENDLESS // 8)  # where a whole run's pace is measured: in the middle of each eighth


def choose_plan(recipe: Recipe, data: Dataset, device: str = "auto", ranks: str = "1") -> Plan:
    """The fastest plan for the recipe on this machine. `ranks` is a number or "auto".

    Raises:
        UsageError: the batch does not split evenly over the ranks.
        ResourceError: this machine has no such device.
    """
    where, count = find_device(device), _count(recipe, "1" if ranks == "auto" else ranks)
    keep_freed_memory()
    with keep_process_settings():
        plan = _plan_gpu(recipe, data, where, count) if where.type != "cpu" else _plan_cpu(recipe, data, count)
        if ranks == "auto":
            plan = _add_ranks(recipe, data, plan)
    return replace(plan, sync_batch_norm=plan.ranks > 1 and has_batch_norm(recipe))


def _plan_gpu(recipe: Recipe, data: Dataset, where: torch.device, ranks: int) -> Plan:
    wanted = recipe.train.precision
    if wanted == "auto":
        # A point is its exact place, and bfloat16 has one number for 1.00 and 1.001.
        wanted = "bfloat16" if data.modality.grid and bfloat16_is_fast(str(where)) else "float32"
    elif wanted == "bfloat16" and where.type == "cuda" and not has_bfloat16(where):
        raise ResourceError(f"{where} has no bfloat16 of its own; use --precision float32")
    return Plan(device=str(where), precision=wanted, ranks=ranks, threads=min(4, max_threads(), _share(ranks)))


def _plan_cpu(recipe: Recipe, data: Dataset, ranks: int) -> Plan:
    wide = Plan(precision=_precision(recipe, data), threads=max_threads())
    plans = [replace(wide, channels_last=last) for last in ((True, False) if data.modality.grid else (False,))]
    paces = _paces(recipe, data, plans)
    best = max(plans, key=lambda plan: paces[plan])
    return replace(best, ranks=ranks, threads=min(max_threads(), _share(ranks)))


def _share(ranks: int) -> int:
    """The cores for each rank."""
    return max(1, len(available_cores()) // ranks)


def _add_ranks(recipe: Recipe, data: Dataset, alone: Plan) -> Plan:
    """The plan of one rank, or that of a rank for each core (of a CPU) or GPU, if its real processes are faster.

    One rank timed by itself, times their number, would say too much: together they share memory, and they meet.
    """
    gpus = torch.cuda.device_count() if alone.device == "cuda" else 1  # an index puts all ranks on that GPU
    count = max_threads() if alone.device == "cpu" else gpus
    if not _splits(recipe, count):
        return alone
    together = replace(alone, ranks=count, threads=1 if alone.device == "cpu" else max(1, min(4, _share(count))))
    together = replace(together, sync_batch_norm=has_batch_norm(recipe))
    pace = _paces(recipe, data, [alone], 1.0)[alone]
    if recipe.train.images / pace < SHORT:
        return alone
    return together if _time_processes(recipe, data, together) > pace else alone


def has_batch_norm(recipe: Recipe) -> bool:
    """Whether a network of the recipe's game normalises over the batch."""
    with torch.random.fork_rng(devices=[]):
        return any(isinstance(module, _BatchNorm) for module in build(copy.deepcopy(recipe)).modules())


def _time_processes(recipe: Recipe, data: Dataset, plan: Plan, seconds: float = 2.0) -> float:
    """Images per second of all ranks of the plan, in processes of their own that are ended afterwards."""
    best, over = 0.0, [False]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "recipe.json").write_text(json.dumps(to_dict(recipe)), encoding="utf-8")
        (Path(folder) / "env.json").write_text(json.dumps({"plan": asdict(plan), "minutes": None}), encoding="utf-8")
        with local_ranks(Path(folder), plan, Ranks(), timed=True) as peers:
            steps = endless(recipe, data, plan, peers, lambda: over[0])
            next(steps)  # the other ranks have arrived
            end = time.perf_counter() + seconds
            while time.perf_counter() < end or not best:
                start = time.perf_counter()
                for _ in range(4):
                    next(steps)
                wait_for(plan.device)
                best = max(best, 4 * recipe.train.batch / (time.perf_counter() - start))
            over[0] = True
            for _ in steps:
                pass
    return best


def endless(
    recipe: Recipe, data: Dataset, plan: Plan, peers: Ranks, stop: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """The engine's steps, of networks that have grown, until rank 0 stops."""
    apply_plan(plan, peers.rank)
    for _ in train(initial_state(recipe, plan, LATE), data, replace(recipe.train, images=ENDLESS), peers):
        yield
        if peers.any(stop()):
            return


def _splits(recipe: Recipe, ranks: int) -> bool:
    return ranks > 1 and recipe.train.batch % ranks == 0 and recipe.train.batch // ranks > 1


def _count(recipe: Recipe, ranks: str) -> int:
    if not ranks.isdigit() or int(ranks) < 1:
        raise UsageError(f"--ranks: expected a number or auto, got {ranks!r}")
    if recipe.train.batch % int(ranks):
        raise UsageError(f"a batch of {recipe.train.batch} does not split evenly over {ranks} ranks; choose --batch or --ranks")
    if recipe.train.batch // int(ranks) < 2:
        raise UsageError(
            f"a batch of {recipe.train.batch} leaves {ranks} rank(s) less than 2 images each; choose a larger --batch"
        )
    return int(ranks)


def _precision(recipe: Recipe, data: Dataset) -> str:
    if recipe.train.precision != "auto":
        return recipe.train.precision
    # A point is its exact place, and bfloat16 has one number for 1.00 and 1.001.
    return "bfloat16" if data.modality.grid and bfloat16_is_fast() else "float32"


def _paces(recipe: Recipe, data: Dataset, plans: list[Plan], seconds: float = 2.0) -> dict[Plan, float]:
    """Images per second of one rank of each plan, on its share of the batch; in turns: other work slows all alike."""
    steps, best = {}, dict.fromkeys(plans, 0.0)
    for plan in plans:
        config = replace(recipe.train, batch=recipe.train.batch // plan.ranks, images=ENDLESS)
        steps[plan] = train(initial_state(recipe, plan, LATE), data, config)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not all(best.values()):
        for plan in plans:
            with use_threads(plan.threads):
                next(steps[plan])
                wait_for(plan.device)
                start = time.perf_counter()
                for _ in range(4):
                    next(steps[plan])
                wait_for(plan.device)
                best[plan] = max(best[plan], 4 * recipe.train.batch / plan.ranks / (time.perf_counter() - start))
    return best


def initial_state(recipe: Recipe, plan: Plan, items: int = 0) -> State:
    """The recipe's game at the start of training: a function of the seed alone. `items` counts as shown already."""
    torch.manual_seed(recipe.train.seed)
    state = new_state(build(copy.deepcopy(recipe)), recipe.train, plan)
    state.items = items
    return state


def images_in_minutes(recipe: Recipe, data: Dataset, plan: Plan, ranks: Ranks, minutes: float) -> tuple[int, float]:
    """How many images fit into `minutes`, and the images per second of a whole run: about three seconds of real steps.

    Where networks grow, the first images cost a fraction of the last.
    """
    state, costs = initial_state(recipe, plan), []
    steps = train(state, data, replace(recipe.train, images=ENDLESS), ranks)
    for place in PLACES:
        state.items, count = place, 0
        next(steps)
        start = time.perf_counter()
        while not count or not ranks.any(time.perf_counter() - start > 3 / len(PLACES)):
            next(steps)
            count += 1
        costs.append((time.perf_counter() - start) / count)
    batch = recipe.train.batch
    measured = float(ranks.broadcast(batch / fmean(costs)))
    return max(1, round(measured * 60 * minutes / batch)) * batch, measured


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """PyTorch on `count` threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
