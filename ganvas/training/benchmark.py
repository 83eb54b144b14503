"""How fast a recipe's steps are: against a plain loop over the same networks, and against the machine's own peak."""

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
from collections.abc import Iterator
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
from ganvas.core.game import Game, Step
from ganvas.data.order import rows
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import ENDLESS, LATE, choose_plan, endless
from ganvas.errors import UsageError
from ganvas.games.common.duel import Duel
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe
from ganvas.games.registry import build, find_recipe
from ganvas.runtime.device import available_cores, describe_runtime, pin
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.runtime.probe import bfloat16_is_fast, measure_convolution_peak
from ganvas.runtime.process_settings import keep_process_settings
from ganvas.runtime.processes import local_ranks
from ganvas.training.run_folder import Run
from ganvas.utils.settings import to_dict

CYCLE = 16  # a whole number of every lazy interval in use, in steps


@dataclass(frozen=True)
class Report:
    """What was measured. `gflops` are counted floating-point operations by seconds, of the whole step."""

    recipe: str
    plan: Plan
    images_per_second: float
    plain_images_per_second: float
    ratio: float  # median over interleaved pairs of bursts
    gflops: float
    peak_gflops: float  # of the best convolution, forward and backward, in the fastest precision
    share_of_peak: float
    operations: tuple[tuple[str, float], ...]  # share of the step's processor time, largest first
    machine: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return dataclasses.asdict(self)

    def text(self) -> str:
        """For people."""
        plan = self.plan
        layout = ", channels-last" if plan.channels_last else ""
        how = f"{plan.ranks} rank(s) of {plan.threads} thread(s), {plan.precision}{layout}"
        machine = f"{self.machine['processor']} ({self.machine['cores']} cores, {self.machine['capability']})"
        lines = [
            f"{self.recipe} on {machine}: {how}",
            f"  ganvas       {self.images_per_second:10,.0f} images/s",
            f"  plain loop   {self.plain_images_per_second:10,.0f} images/s   (float32, NCHW, default Adam, separate passes)",
            f"  ratio        {self.ratio:10.2f}",
            f"  attained     {self.gflops:10,.0f} GFLOP/s: {self.share_of_peak:.0%} of a convolution's {self.peak_gflops:,.0f}",
            "  where a step's time goes:",
        ]
        return "\n".join([*lines, *(f"    {share:5.1%}  {name}" for name, share in self.operations)])


def bench(recipe: str | Recipe, ranks: str = "auto", seconds: float = 20.0) -> Report:
    """Measure a recipe on this machine. Both loops run alternately in short bursts, under the same load.

    Raises:
        UsageError: `seconds` is not above 0.
    """
    if not 0 < seconds < math.inf:
        raise UsageError(f"seconds: expected a number above 0, got {seconds:g}")
    with keep_process_settings():
        torch.set_num_threads(len(available_cores()))  # the peak is that of all cores
        return _bench(find_recipe(recipe) if isinstance(recipe, str) else recipe, ranks, seconds)


def _bench(recipe: Recipe, ranks: str, seconds: float) -> Report:
    machine, data = describe_runtime(), open_data(recipe)
    chosen = adapt_recipe(recipe, data)
    peak = max(measure_convolution_peak(precision, channels) for precision in precisions() for channels in (64, 128, 256))
    plan = choose_plan(chosen, data, "cpu", ranks)
    whole = replace(plan, ranks=1, threads=len(available_cores()))
    flops = count_flops(chosen, data, whole)
    operations = profiled(chosen, data, whole)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), chosen, plan)
        run.write()
        with local_ranks(run.folder, plan, Ranks(), timed=True) as peers:
            ours, plain = race(chosen, data, plan, peers, seconds)
    ratio = median(a / b for a, b in zip(ours, plain, strict=True))
    attained = flops * median(ours) / 1e9
    return Report(chosen.name, plan, median(ours), median(plain), ratio, attained, peak, attained / peak, operations, machine)


def precisions() -> tuple[str, ...]:
    """Those worth timing here."""
    return ("float32", "bfloat16") if bfloat16_is_fast() else ("float32",)


def race(recipe: Recipe, data: TableDataset, plan: Plan, peers: Ranks, seconds: float) -> tuple[list[float], list[float]]:
    """Images per second of each burst of the engine and of the plain loop, interleaved; the plain loop has its own process."""
    over, everywhere = [False], set(available_cores())
    engine = endless(recipe, data, plan, peers, lambda: over[0])
    spawn = multiprocessing.get_context("spawn")
    ask, answer = spawn.Pipe()
    other = spawn.Process(target=_play_plain, args=(to_dict(recipe), answer, everywhere), daemon=True)
    other.start()

    def plain() -> float:
        ask.send("go")
        return float(ask.recv())

    burst(engine, recipe), plain()
    pairs: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while len(pairs) < 3 or time.perf_counter() < end:
        pairs.append((burst(engine, recipe), plain()))
    over[0] = True
    for _ in engine:
        pass
    other.terminate()
    other.join()
    return [a for a, _ in pairs], [b for _, b in pairs]


def _play_plain(plain: dict[str, Any], pipe: Any, everywhere: set[int]) -> None:
    pin(sorted(everywhere))
    torch.set_num_threads(len(everywhere))
    recipe = parse_recipe(plain)
    steps = plain_loop(recipe, open_data(recipe))
    while pipe.recv() == "go":
        pipe.send(burst(steps, recipe))


def cycle(recipe: Recipe) -> int:
    """Steps of one burst: fewer where no rules of two players, and so nothing lazy, make one step unlike the next."""
    return CYCLE if hasattr(recipe.config, "rules") else CYCLE // 4


def burst(steps: Iterator[object], recipe: Recipe) -> float:
    """Images per second over one cycle of steps."""
    start = time.perf_counter()
    for _ in range(cycle(recipe)):
        next(steps)
    return cycle(recipe) * recipe.train.batch / (time.perf_counter() - start)


def plain_loop(recipe: Recipe, data: TableDataset) -> Iterator[None]:
    """A tutorial's loop over the same networks and losses: float32, NCHW, default Adam, D on reals and fakes apart."""
    torch.manual_seed(recipe.train.seed)
    game, config = build(copy.deepcopy(recipe)), recipe.train
    rate, betas = config.learning_rate, (config.adam.beta1, config.adam.beta2)
    optimizers = {player: torch.optim.Adam(game.player_parameters(player), lr=rate, betas=betas) for player in game.players}
    position = LATE
    for index in itertools.count():
        batch = data.samples(rows(config.seed, position, config.batch, len(data)))
        batch = {name: tensor.contiguous() for name, tensor in batch.items()}
        position += config.batch
        step = Step(index, position, ENDLESS)
        game.advance(step)
        for turn in plain_turns(game):
            game.zero_grad()
            sum(turn.loss(batch, step).values(), torch.zeros(())).backward()
            optimizers[turn.trains].step()
        yield


def plain_turns(game: Game) -> tuple[Any, ...]:
    """The game's turns with the critic called on reals and on fakes apart, as tutorials do."""
    turns = game.turns()
    if isinstance(home := getattr(turns[0].loss, "__self__", None), Duel):
        return replace(home, together=False).turns()
    return turns


def count_flops(recipe: Recipe, data: TableDataset, plan: Plan) -> float:
    """Floating-point operations of one image's share of a step, all passes counted, over one cycle."""
    with Counter() as counter:
        burst(endless(recipe, data, plan, Ranks()), recipe)
    return float(counter.flops) / (cycle(recipe) * recipe.train.batch)


class Counter(TorchDispatchMode):
    """Counts the operations of convolutions and matrix products, forward and backward, by PyTorch's own formulas.

    FlopCounterMode does the same but hooks modules, and refuses a gradient taken inside a loss.
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
    """Nothing on standard error: the profiler's C++ side reports its own starts and stops there."""
    sys.stderr.flush()
    with Path(os.devnull).open("w") as nowhere:
        before = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


def profiled(recipe: Recipe, data: TableDataset, plan: Plan, most: int = 10) -> tuple[tuple[str, float], ...]:
    """The operations that take most of a step, in one process, by their own share of processor time."""
    steps = endless(recipe, data, plan, Ranks())
    burst(steps, recipe)
    with _silence(), profile(activities=[ProfilerActivity.CPU]) as recorded:
        burst(steps, recipe)
    events = recorded.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    largest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:most]
    return tuple((event.key.removeprefix("aten::"), event.self_cpu_time_total / total) for event in largest)
