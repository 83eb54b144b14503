"""Settle how a run's steps are executed, by timing the recipe's own steps for about two seconds."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from ganvas.config import Recipe, TrainConfig
from ganvas.data.source import Source
from ganvas.engine import State, begin, train
from ganvas.errors import UsageError
from ganvas.games import build
from ganvas.machine import Plan, bfloat16_is_fast, cores, device_named
from ganvas.ranks import Ranks


def settled(recipe: Recipe, data: Source, device: str = "auto", ranks: str = "1") -> Plan:
    """The fastest plan for the recipe on this machine. `ranks` is a number or "auto".

    Raises:
        UsageError: the batch does not split evenly over the ranks.
    """
    where, count = device_named(device), _count(recipe, "1" if ranks == "auto" else ranks)
    if where.type != "cpu":
        wanted = recipe.train.precision
        fast = torch.cuda.is_bf16_supported() if where.type == "cuda" else False
        precision = ("bfloat16" if fast else "float32") if wanted == "auto" else wanted
        return Plan(device=str(where), precision=precision, ranks=count, threads=1)
    wide = Plan(precision=_precision(recipe), ranks=1, threads=len(cores()))
    formats = (True, False) if data.fields["real"].ndim == 4 else (False,)
    plans = {_pace(recipe, data, plan): plan for plan in (replace(wide, channels_last=last) for last in formats)}
    best = plans[max(plans)]
    if ranks != "auto":
        return replace(best, ranks=count, threads=max(1, len(cores()) // count))
    narrow = replace(best, ranks=len(cores()), threads=1)
    if len(cores()) == 1 or recipe.train.batch % narrow.ranks or recipe.train.batch // narrow.ranks < 2:
        return best
    # One rank's share on one core, while the others would do theirs. The exchange costs some of what is won.
    return narrow if 0.9 * narrow.ranks * _pace(recipe, data, narrow) > max(plans) else best


def _count(recipe: Recipe, ranks: str) -> int:
    if not ranks.isdigit() or int(ranks) < 1:
        raise UsageError(f"--ranks: expected a number or auto, got {ranks!r}")
    if recipe.train.batch % int(ranks):
        raise UsageError(f"a batch of {recipe.train.batch} does not split evenly over {ranks} ranks; choose --batch or --ranks")
    return int(ranks)


def _precision(recipe: Recipe) -> str:
    if recipe.train.precision != "auto":
        return recipe.train.precision
    return "bfloat16" if bfloat16_is_fast() else "float32"


def _pace(recipe: Recipe, data: Source, plan: Plan, least: float = 0.35) -> float:
    """Images per second of one rank of `plan`, on its share of the batch."""
    config = replace(recipe.train, batch=recipe.train.batch // plan.ranks, images=2**62)
    with threads(plan.threads):
        return pace(train(fresh(recipe, plan), data, config), config, least)


def pace(steps: Iterator[object], config: TrainConfig, least: float) -> float:
    """Images per second of the iterator of steps, after a warm-up, over at least `least` seconds."""
    for _ in itertools.islice(steps, 2):
        pass
    start, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < least or count < 3:
        next(steps)
        count += 1
    return count * config.batch / elapsed


def fresh(recipe: Recipe, plan: Plan) -> State:
    """The recipe's game at the start of training: a function of the seed alone."""
    torch.manual_seed(recipe.train.seed)
    return begin(build(copy.deepcopy(recipe)), recipe.train, plan)


def images_for(recipe: Recipe, data: Source, plan: Plan, ranks: Ranks, minutes: float) -> tuple[int, float]:
    """How many images fit into `minutes`, and the images per second that were measured: three seconds of real steps."""
    config = replace(recipe.train, images=2**62)
    steps = train(fresh(recipe, plan), data, config, ranks)
    start, count = time.perf_counter(), 0
    for _ in steps:
        count += 1
        if count == 3:
            start = time.perf_counter()
        if ranks.any(count > 8 and time.perf_counter() - start > 3):
            break
    measured = (count - 3) * config.batch / (time.perf_counter() - start)
    measured = float(ranks.agree(measured))
    batches = max(1, round(measured * 60 * minutes / config.batch))
    return batches * config.batch, measured


@contextmanager
def threads(count: int) -> Iterator[None]:
    """PyTorch on `count` threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
