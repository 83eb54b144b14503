"""Settle how a run's steps are executed, by timing the recipe's own steps for about two seconds."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import fmean

import torch

from ganvas.config import Recipe
from ganvas.data.source import Source
from ganvas.engine import State, begin, train
from ganvas.errors import UsageError
from ganvas.games import build
from ganvas.machine import Plan, bfloat16_is_fast, cores, device_named, most_threads
from ganvas.ranks import Ranks

ENDLESS = 2**62  # images of a run that is only timed
LATE = 9 * ENDLESS // 10  # the place in it where plans are compared: networks that grow have grown
PLACES = range(ENDLESS // 16, ENDLESS, ENDLESS // 8)  # where a whole run's pace is measured: in the middle of each eighth


def settled(recipe: Recipe, data: Source, device: str = "auto", ranks: str = "1") -> Plan:
    """The fastest plan for the recipe on this machine. `ranks` is a number or "auto".

    Raises:
        UsageError: the batch does not split evenly over the ranks.
    """
    where, count = device_named(device), _count(recipe, "1" if ranks == "auto" else ranks)
    if where.type != "cpu":
        wanted = recipe.train.precision
        fast = data.is_grid and where.type == "cuda" and torch.cuda.is_bf16_supported()
        precision = ("bfloat16" if fast else "float32") if wanted == "auto" else wanted
        return Plan(device=str(where), precision=precision, ranks=count, threads=1)
    wide = Plan(precision=_precision(recipe, data), threads=most_threads())
    formats = (True, False) if data.is_grid else (False,)
    plans = [replace(wide, channels_last=last) for last in formats]
    share = (
        [replace(plan, ranks=len(cores()), threads=1) for plan in plans if _splits(recipe, len(cores()))]
        if ranks == "auto"
        else []
    )
    paces = _paces(recipe, data, [*plans, *share])
    best = max(plans, key=lambda plan: paces[plan])
    if ranks != "auto":
        return replace(best, ranks=count, threads=min(most_threads(), max(1, len(cores()) // count)))
    # One rank was timed on one core while the others idled; together they share memory, and the exchange costs some too.
    narrow = max(share, key=lambda plan: paces[plan], default=best)
    return narrow if 0.75 * narrow.ranks * paces[narrow] > paces[best] else best


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


def _precision(recipe: Recipe, data: Source) -> str:
    if recipe.train.precision != "auto":
        return recipe.train.precision
    # A point is its exact place: bfloat16 knows 1.00 and 1.01 for the same number.
    return "bfloat16" if data.is_grid and bfloat16_is_fast() else "float32"


def _paces(recipe: Recipe, data: Source, plans: list[Plan], seconds: float = 2.0) -> dict[Plan, float]:
    """Images per second of one rank of each plan, on its share of the batch; in turns, so that all meet the same weather."""
    steps, best = {}, dict.fromkeys(plans, 0.0)
    for plan in plans:
        config = replace(recipe.train, batch=recipe.train.batch // plan.ranks, images=ENDLESS)
        steps[plan] = train(fresh(recipe, plan, LATE), data, config)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not all(best.values()):
        for plan in plans:
            with threads(plan.threads):
                next(steps[plan])
                start = time.perf_counter()
                for _ in range(4):
                    next(steps[plan])
                best[plan] = max(best[plan], 4 * recipe.train.batch / plan.ranks / (time.perf_counter() - start))
    return best


def fresh(recipe: Recipe, plan: Plan, items: int = 0) -> State:
    """The recipe's game at the start of training: a function of the seed alone. `items` counts as shown already."""
    torch.manual_seed(recipe.train.seed)
    state = begin(build(copy.deepcopy(recipe)), recipe.train, plan)
    state.items = items
    return state


def images_for(recipe: Recipe, data: Source, plan: Plan, ranks: Ranks, minutes: float) -> tuple[int, float]:
    """How many images fit into `minutes`, and the images per second of a whole run: about three seconds of real steps.

    Where networks grow, the first images cost a fraction of the last.
    """
    state, costs = fresh(recipe, plan), []
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
    measured = float(ranks.agree(batch / fmean(costs)))
    return max(1, round(measured * 60 * minutes / batch)) * batch, measured


@contextmanager
def threads(count: int) -> Iterator[None]:
    """PyTorch on `count` threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
