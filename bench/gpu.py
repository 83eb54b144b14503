"""Every recipe on a GPU: one table in less than ten minutes, with random data so that nothing is downloaded.

    python bench/gpu.py [--device cuda] [--minutes 9] [RECIPE ...]
    python bench/gpu.py --device cpu --quick        a few seconds, to check the script

Columns: images/s in float32 and in bfloat16, each with its share of the fastest convolution in that precision; images/s in
float32 of two ranks on two cards, by torchrun, for some recipes; and the difference between the weights of a resumed run and
of an unbroken run after some steps, relative to their size. The exit code is 1 if a difference is larger than 0.01, and 2 on a
machine without a GPU.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.core.capabilities import TakesInputs
from ganvas.core.modality import TEXT
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.engine import checkpoint
from ganvas.engine.autotune import has_batch_norm, initial_state, train_endlessly
from ganvas.engine.loop import train
from ganvas.engine.state import dump, restore
from ganvas.errors import GanvasError
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipes import modalities_of
from ganvas.runtime.device import find_device, has_bfloat16, max_threads, processor_name
from ganvas.runtime.distributed import Ranks, connect, disconnect
from ganvas.runtime.plan import Plan
from ganvas.runtime.probe import measure_convolution_peak, wait_for
from ganvas.runtime.process_settings import keep_process_settings
from ganvas.training.benchmark import count_cycle_steps, count_flops

TOLERANCE = 0.01
TWO_CARDS = ("cgan-mnist", "dcgan-mnist", "progan-mnist", "stylegan2-fashion", "voxel-shapes", "vae-mnist")
QUICK = ("gan-ring", "cgan-mnist", "textgan-names")
SMALL = {"width": 8, "critic_width": 8, "max_width": 8, "depth": 1, "head": 8}  # of a network, for --quick
ROW = "| {:<28} | {:>9} | {:>6} | {:>9} | {:>6} | {:>9} | {:>8} |"
TITLES = ("recipe", "float32", "peak", "bfloat16", "peak", "two cards", "resume")


@dataclass
class Card:
    """What is measured, and how long."""

    device: str
    seconds: float  # of steps for each figure
    peaks: dict[str, float]  # precision -> GFLOP/s of the fastest convolution
    cards: int


def main(words: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0, help="rows that do not fit are left out")
    parser.add_argument("--quick", action="store_true", help="three small recipes and few steps")
    parser.add_argument("--as-rank", action="store_true", help="be one of several ranks that play the RECIPE")
    chosen = parser.parse_args(words)
    if chosen.as_rank:
        return play_rank(prepare(RECIPES[chosen.recipes[0]], chosen.quick), chosen.device, 0.05 if chosen.quick else 1.5)
    end = time.monotonic() + 60 * chosen.minutes
    try:
        device = find_device(chosen.device)
    except GanvasError as missing:
        print(f"bench/gpu.py: {missing}", file=sys.stderr)
        return 2
    card = measure_card(device, chosen.quick)
    peaks = ", ".join(f"{name} {peak / 1000:.1f} TFLOP/s" for name, peak in card.peaks.items())
    print(f"{find_name(device)}, {card.cards} card(s), PyTorch {torch.__version__}; fastest convolution: {peaks}\n")
    print(ROW.format(*TITLES))
    print(ROW.format(*["-" * 6] * len(TITLES)))
    worst, left_out = 0.0, []
    for name in chosen.recipes or (QUICK if chosen.quick else RECIPES):
        if time.monotonic() > end:
            left_out.append(name)
            continue
        recipe = prepare(RECIPES[name], chosen.quick)
        cells, apart = measure_row(recipe, make_data(recipe), card)
        worst = max(worst, apart)
        print(ROW.format(name, *cells), flush=True)
    if left_out:
        print(f"\nleft out after {chosen.minutes:g} minutes: {', '.join(left_out)}")
    print(f"\nresume: at most {worst:.1e} apart, {'as it should be' if worst <= TOLERANCE else 'TOO MUCH'}")
    return int(worst > TOLERANCE)


def measure_card(device: torch.device, quick: bool) -> Card:
    """The peaks of the device in each precision of its hardware."""
    precisions = ["float32", *(["bfloat16"] if has_bfloat16(device) or quick else [])]
    sizes = (32,) if quick else (128, 256, 512)
    batch, least = (8, 0.01) if quick else (128, 0.3)
    peaks = {
        precision: max(
            measure_convolution_peak(precision, size, 8 if quick else 32, batch, least, str(device)) for size in sizes
        )
        for precision in precisions
    }
    cards = torch.cuda.device_count() if device.type == "cuda" and device.index is None else 1
    return Card(str(device), 0.05 if quick else 1.5, peaks, cards)


def find_name(device: torch.device) -> str:
    """The card's name, or the processor's."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()


def prepare(recipe: Recipe, quick: bool) -> Recipe:
    """The recipe with the settings that the data would decide; with `quick` its networks are small."""
    known = {field.name for field in fields(recipe.config)}
    small: dict[str, Any] = {name: value for name, value in SMALL.items() if name in known} if quick else {}
    if "alphabet" in known:
        small |= {"length": 12, "vocabulary": 27, "alphabet": "abcdefghijklmnopqrstuvwxyz"}
    if "classes" in known:
        small |= {"classes": 10}
    train = replace(recipe.train, precision="auto", batch=8 if quick else recipe.train.batch)
    return replace(recipe, config=replace(recipe.config, **small), train=train)


def make_data(recipe: Recipe, count: int = 2_000) -> Dataset:
    """Random samples of the kind that the recipe takes."""
    config: Any = recipe.config
    if issubclass(GAMES[recipe.game], TakesInputs):
        return make_inputs(recipe, count)
    random = torch.Generator().manual_seed(0)
    if TEXT in modalities_of(config):
        text = torch.randint(0, config.vocabulary, (count, config.length), generator=random)
        text = text * ((text == 0).cumsum(1) == 0)  # nothing follows the end of a line
        return TableDataset(
            "random", {"text": text}, fingerprint="0" * 16, alphabet=config.alphabet, vocabulary=config.vocabulary
        )
    shape = getattr(config, "shape", None) or (config.channels, *[config.resolution] * getattr(config, "dims", 2))
    real = torch.randn(count, *shape, generator=random) if len(shape) == 1 else draw_bytes(count, *shape, random=random)
    labels = torch.arange(count) % 10
    return TableDataset("random", {"real": real, "label": labels}, classes=tuple("0123456789"), fingerprint="0" * 16)


def make_inputs(recipe: Recipe, count: int) -> Dataset:
    """Random pictures and label maps for all fields that a game with inputs needs."""
    config: Any = recipe.config
    random, needs = torch.Generator().manual_seed(0), GAMES[recipe.game].needs

    def draw(field: str) -> Tensor:
        side = config.resolution // (config.scale if field == "low" else 1)
        if field == "map":
            return torch.randint(config.classes, (count, side, side), generator=random, dtype=torch.uint8)
        return draw_bytes(
            count,
            getattr(config, "source_channels", config.channels) if field == "source" else config.channels,
            side,
            side,
            random=random,
        )

    found = {field: draw(field) for field in sorted(needs, key=lambda field: field != "real")}  # "real" is the first
    if "a" in needs:
        a, b = (TableDataset(f"random {name}", {"real": found[name]}, fingerprint="0" * 16) for name in "ab")
        return UnpairedDataset(a, b)
    if needs == ("real",):  # its inputs are made of the reals
        return TableDataset("random", found, fingerprint="0" * 16)
    return PairedDataset("random", found, fingerprint="0" * 16)


def draw_bytes(*shape: int, random: torch.Generator) -> Tensor:
    """Random pixels or voxels, as they are stored."""
    return (torch.randn(shape, generator=random) * 60 + 128).clamp(0, 255).to(torch.uint8)


def measure_row(recipe: Recipe, data: Dataset, card: Card) -> tuple[list[str], float]:
    """The cells of a recipe, and the difference between its resumed and its unbroken run."""
    plan = Plan(device=card.device, threads=min(4, max_threads()))
    cells: list[str] = []
    with keep_process_settings():
        flops = count_flops(recipe, data, plan)
        for precision in ("float32", "bfloat16"):
            if precision not in card.peaks or not (data.modality.grid or precision == "float32"):
                cells += ["-", "-"]
                continue
            rate = measure_pace(recipe, data, replace(plan, precision=precision), card.seconds)
            cells += [f"{rate:,.0f}", f"{flops * rate / 1e9 / card.peaks[precision]:.0%}"]
        cells.append(time_two_ranks(recipe.name, card.device) if card.cards > 1 and recipe.name in TWO_CARDS else "-")
        apart = compare_resume(recipe, data, plan)
    return [*cells, f"{apart:.0e}" if apart else "exact"], apart


def measure_pace(recipe: Recipe, data: Dataset, plan: Plan, seconds: float) -> float:
    """Images per second of the engine: the best of some bursts."""
    steps, best = train_endlessly(recipe, data, plan, Ranks()), 0.0
    for _ in range(count_cycle_steps(recipe)):  # each kind of step once: cuDNN has chosen its algorithms then
        next(steps)
    end = time.perf_counter() + seconds
    while not best or time.perf_counter() < end:
        wait_for(plan.device)
        start = time.perf_counter()
        for _ in range(count_cycle_steps(recipe)):
            next(steps)
        wait_for(plan.device)
        best = max(best, count_cycle_steps(recipe) * recipe.train.batch / (time.perf_counter() - start))
    return best


def time_two_ranks(name: str, device: str, *more: str) -> str:
    """Images per second of two ranks that torchrun starts, each with half of the batch; "failed" with the reason on stderr."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, __file__, name, "--as-rank", "--device", device, *more]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return f"{float(done.stdout.split()[-1]):,.0f}"
    except (subprocess.SubprocessError, ValueError, IndexError) as failure:
        print(f"{name}: two ranks failed: {failure}\n{getattr(failure, 'stderr', '')}", file=sys.stderr)
        return "failed"


def play_rank(recipe: Recipe, device: str, seconds: float) -> int:
    """Train as one of the ranks; rank 0 prints the images per second of all."""
    plan = Plan(device=device, ranks=2, threads=1, sync_batch_norm=has_batch_norm(recipe))
    ranks = connect().use_plan(plan)
    over, rate = [False], 0.0
    steps = train_endlessly(recipe, make_data(recipe), plan, ranks, lambda: over[0])
    for _ in range(count_cycle_steps(recipe)):
        next(steps)
    start = time.perf_counter()
    for count, _ in enumerate(steps, 1):  # the other rank ends when rank 0 says so
        if ranks.first and not over[0]:
            rate = count * recipe.train.batch / (time.perf_counter() - start)
            over[0] = count % count_cycle_steps(recipe) == 0 and time.perf_counter() - start > seconds
    if ranks.first:
        print(rate)
    disconnect()
    return 0


def compare_resume(recipe: Recipe, data: Dataset, plan: Plan, steps: int = 3) -> float:
    """The largest difference between a weight and that of the unbroken run, relative to the largest weight of its tensor."""
    unbroken, state = initial_state(recipe, plan), initial_state(recipe, plan)
    for each, count in ((unbroken, 2 * steps), (state, steps)):
        for _ in itertools.islice(train(each, data, recipe.train), count):
            pass
    with tempfile.TemporaryDirectory() as folder:
        tensors, counters = dump(state)
        checkpoint.save(Path(folder), state.items, tensors, {"state": counters})
        found = checkpoint.load(Path(folder))
    assert found is not None, "a checkpoint that was just saved cannot be read"  # noqa: S101
    again = initial_state(recipe, plan)
    restore(again, found.tensors, found.meta["state"])
    for _ in itertools.islice(train(again, data, recipe.train), steps):
        pass
    pairs = zip(again.game.parameters(), unbroken.game.parameters(), strict=True)
    return max(float((a - b).detach().abs().max() / b.detach().abs().max().clamp_min(1e-3)) for a, b in pairs)


if __name__ == "__main__":
    sys.exit(main())
