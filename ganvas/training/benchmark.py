"""The speed of a recipe: beside a plain training loop with the same networks, and beside the peak of the machine."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganvas.config import Recipe
from ganvas.core.capabilities import Watched
from ganvas.core.game import Game, Step
from ganvas.data.dataset import Dataset
from ganvas.data.order import rows
from ganvas.engine.autotune import ENDLESS, LATE, choose_plan, train_endlessly
from ganvas.errors import UsageError
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe
from ganvas.games.registry import build, find_recipe
from ganvas.runtime.device import available_cores, describe_runtime, find_device, pin
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.runtime.probe import bfloat16_is_fast, measure_convolution_peak, wait_for
from ganvas.runtime.process_settings import keep_process_settings
from ganvas.runtime.processes import local_ranks
from ganvas.training.run_folder import Run
from ganvas.utils.settings import to_dict

CYCLE = 16  # steps: a multiple of every lazy interval in use, so that each burst has the same work


@dataclass(frozen=True)
class Report:
    """What was measured. `gflops` are the counted floating-point operations of a whole step, by its seconds."""

    recipe: str
    plan: Plan
    images_per_second: float
    plain_images_per_second: float
    ratio: float  # median over pairs of bursts that took turns
    gflops: float
    peak_gflops: float  # of the fastest convolution, forward and backward, in the fastest precision
    share_of_peak: float
    operations: tuple[tuple[str, float], ...]  # share of the step's time, largest first
    machine: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return dataclasses.asdict(self)

    def text(self) -> str:
        """For people."""
        plan = self.plan
        layout = ", channels-last" if plan.channels_last else ""
        how = f"{plan.ranks} rank(s) of {plan.threads} thread(s), {plan.precision}{layout}"
        peak = f"{self.peak_gflops:,.0f}"
        machine = f"{self.machine['processor']} ({self.machine['cores']} cores, {self.machine['capability']})"
        if plan.device != "cpu":
            machine = str(self.machine["gpu"] or plan.device)
        lines = [
            f"{self.recipe} on {machine}: {how}",
            f"  ganvas       {self.images_per_second:10,.0f} images/s",
            f"  plain loop   {self.plain_images_per_second:10,.0f} images/s   (float32, NCHW, default Adam, separate passes)",
            f"  ratio        {self.ratio:10.2f}",
            f"  attained     {self.gflops:10,.0f} GFLOP/s    ({self.share_of_peak:.0%} of {peak} for convolutions)",
            "  time of a step:",
        ]
        return "\n".join([*lines, *(f"    {share:5.1%}  {name}" for name, share in self.operations)])


def bench(
    recipe: str | Recipe,
    ranks: str = "auto",
    seconds: float = 20.0,
    device: str = "auto",
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure a recipe on this machine. Both loops take turns in short bursts, so that other work slows them alike.

    `tell` gets a line before each part that takes long.

    Raises:
        UsageError: `seconds` is not above 0, or there is no device of this name.
        ResourceError: this machine has no such device.
    """
    if not 0 < seconds < math.inf:
        raise UsageError(f"seconds: expected a number above 0, got {seconds:g}")
    with keep_process_settings():
        torch.set_num_threads(len(available_cores()))  # the peak is that of all cores
        recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
        return _bench(recipe, ranks, seconds, str(find_device(device)), tell)


def _bench(recipe: Recipe, ranks: str, seconds: float, device: str, tell: Callable[[str], None]) -> Report:
    machine, data = describe_runtime(), open_data(recipe)
    chosen = adapt_recipe(recipe, data)
    tell("timing convolutions, and plans of ranks and precision, before the steps are compared ...")
    peak = measure_peak(device)
    plan = choose_plan(chosen, data, device, ranks)
    whole = replace(plan, ranks=1, threads=len(available_cores()))
    flops = count_flops(chosen, data, whole)
    operations = profile_operations(chosen, data, whole)
    tell(f"timing the steps of {chosen.name} and of a plain loop for {seconds:g} s ...")
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), chosen, plan)
        run.write()
        with local_ranks(run.folder, plan, Ranks(), timed=True) as peers:
            ours, plain = race(chosen, data, plan, peers, seconds)
    ratio = median(a / b for a, b in zip(ours, plain, strict=True))
    attained = flops * median(ours) / 1e9
    return Report(chosen.name, plan, median(ours), median(plain), ratio, attained, peak, attained / peak, operations, machine)


def list_precisions(device: str = "cpu") -> tuple[str, ...]:
    """The precisions that are worth timing on a device."""
    return ("float32", "bfloat16") if bfloat16_is_fast(device) else ("float32",)


def measure_peak(device: str = "cpu") -> float:
    """GFLOP/s of the fastest convolution of a device, in any precision. A GPU needs larger ones to be busy."""
    sizes: list[dict[str, Any]] = [{"channels": channels} for channels in (64, 128, 256)]
    if device != "cpu":
        sizes = [{"channels": channels, "side": 32, "batch": 128} for channels in (128, 256, 512)]
    return max(
        measure_convolution_peak(precision, device=device, **size) for precision in list_precisions(device) for size in sizes
    )


def race(recipe: Recipe, data: Dataset, plan: Plan, peers: Ranks, seconds: float) -> tuple[list[float], list[float]]:
    """Images per second of each burst of the engine and of the plain loop, which take turns.

    The plain loop has a process of its own, because the threads and cores of this one follow the plan.
    """
    over, everywhere = [False], set(available_cores())
    engine = train_endlessly(recipe, data, plan, peers, lambda: over[0])
    spawn = multiprocessing.get_context("spawn")
    ask, answer = spawn.Pipe()
    other = spawn.Process(target=_serve_plain_loop, args=(to_dict(recipe), answer, everywhere, plan.device), daemon=True)
    other.start()

    def plain() -> float:
        ask.send("go")
        return float(ask.recv())

    # One burst of each to warm up, then pairs for `seconds`.
    time_burst(engine, recipe, plan.device), plain()
    pairs: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while len(pairs) < 3 or time.perf_counter() < end:
        pairs.append((time_burst(engine, recipe, plan.device), plain()))
    over[0] = True
    for _ in engine:  # the step in which the other ranks learn that it is over
        pass
    other.terminate()
    other.join()
    return [a for a, _ in pairs], [b for _, b in pairs]


def _serve_plain_loop(plain: dict[str, Any], pipe: Any, everywhere: set[int], device: str) -> None:
    """The process of the plain loop: times one burst on all cores for each message."""
    pin(sorted(everywhere))
    torch.set_num_threads(len(everywhere))
    recipe = parse_recipe(plain)
    steps = plain_loop(recipe, open_data(recipe), device)
    while pipe.recv() == "go":
        pipe.send(time_burst(steps, recipe, device))


def count_cycle_steps(recipe: Recipe) -> int:
    """The steps of one burst: fewer for a game without a duel, which has no lazy terms, so that all its steps are alike."""
    return CYCLE if hasattr(recipe.config, "rules") else CYCLE // 4


def time_burst(steps: Iterator[object], recipe: Recipe, device: str = "cpu") -> float:
    """Images per second over one cycle of steps."""
    wait_for(device)
    start = time.perf_counter()
    for _ in range(count_cycle_steps(recipe)):
        next(steps)
    wait_for(device)  # a GPU may still work after the last call has returned
    return count_cycle_steps(recipe) * recipe.train.batch / (time.perf_counter() - start)


def plain_loop(recipe: Recipe, data: Dataset, device: str = "cpu") -> Iterator[None]:
    """The loop of a tutorial with the same networks and losses: float32, NCHW, default Adam, D on reals and fakes one by one.

    It begins late in the run, where networks that grow have their full size, as the engine does here.
    """
    torch.manual_seed(recipe.train.seed)
    game, config = build(copy.deepcopy(recipe)).to(device), recipe.train
    rate, betas = config.learning_rate, (config.adam.beta1, config.adam.beta2)
    optimizers = {player: torch.optim.Adam(game.player_parameters(player), lr=rate, betas=betas) for player in game.players}
    position = LATE
    for index in itertools.count():
        batch = data.samples(rows(config.seed, position, config.batch, len(data)))
        batch = {name: tensor.contiguous().to(device) for name, tensor in batch.items()}
        position += config.batch
        step = Step(index, position, ENDLESS, device=torch.device(device))
        game.advance(step)
        for turn in plain_turns(game):
            game.zero_grad()
            sum(turn.loss(batch, step).values(), torch.zeros((), device=device)).backward()
            optimizers[turn.trains].step()
        yield


def plain_turns(game: Game) -> tuple[Any, ...]:
    """The game's turns, with each discriminator called for reals and for fakes one by one, as in tutorials."""
    if isinstance(game, Watched):
        game.together = False
    return game.turns()


def count_flops(recipe: Recipe, data: Dataset, plan: Plan) -> float:
    """Floating-point operations for one image, all forward and backward passes of a step counted: the mean over one cycle."""
    with FlopCounter() as counter:
        time_burst(train_endlessly(recipe, data, plan, Ranks()), recipe)
    return float(counter.flops) / (count_cycle_steps(recipe) * recipe.train.batch)


class FlopCounter(TorchDispatchMode):
    """Counts the operations of convolutions and matrix products, forward and backward, with the formulas of PyTorch.

    `FlopCounterMode` does the same, but it hooks modules, which fails for a gradient inside a loss (R1).
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func._overloadpacket):
            self.flops += float(formula(*args, **(kwargs or {}), out_val=out))
        return out


@contextmanager
def _silence() -> Iterator[None]:
    """Close standard error for a block: the C++ part of the profiler writes messages to it."""
    sys.stderr.flush()
    with Path(os.devnull).open("w") as nowhere:
        before = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


def profile_operations(recipe: Recipe, data: Dataset, plan: Plan, most: int = 10) -> tuple[tuple[str, float], ...]:
    """The slowest operations of a step in one process, each with its share of the time of the processor, or of the GPU."""
    steps = train_endlessly(recipe, data, plan, Ranks())
    time_burst(steps, recipe)
    on_gpu = torch.device(plan.device).type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with _silence(), profile(activities=activities) as recorded:
        time_burst(steps, recipe, plan.device)
    times = [
        (event.key.removeprefix("aten::"), event.self_device_time_total if on_gpu else event.self_cpu_time_total)
        for event in recorded.key_averages()
    ]
    total = sum(spent for _, spent in times)
    return tuple((name, spent / total) for name, spent in sorted(times, key=lambda pair: -pair[1])[:most])
