"""Play any game: turns in order, gradients averaged over ranks, running averages. Knows turns and nothing else.

`train` is an iterator that yields after each step; its reader (the run folder, the studio, a test) owns the body of the
loop. Every step is seeded from (seed, step) and its batch is a function of (seed, position), so that a run continued from a
checkpoint follows the unbroken one bit for bit on a CPU.

A step that is not finite makes no move: every weight, moment, buffer and pool is as it was before. Nothing is read from the
device until the step is over, and then once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.capabilities import Watched
from ganvas.core.game import Batch, Game, Step, Terms, View
from ganvas.core.modality import IMAGES
from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader, fetch
from ganvas.engine.balance import MEASURE, Balance
from ganvas.engine.moves import Moves, changing_buffers
from ganvas.engine.state import State
from ganvas.layers.augment import diff_augment
from ganvas.layers.sync_batch_norm import synchronize
from ganvas.runtime.distributed import Ranks
from ganvas.utils.seeds import mix


def seed_step(seed: int, device: torch.device) -> None:
    """Seed what a step draws from. `torch.manual_seed` does the same for every kind of device, at up to 1.5 ms a call."""
    torch.default_generator.manual_seed(seed)
    if device.type not in ("cpu", "meta"):
        torch.get_device_module(device.type).manual_seed(seed)


def train(
    state: State, data: Dataset, config: TrainConfig, ranks: Ranks = Ranks(), held_out: Dataset | None = None
) -> Iterator[tuple[Step, Terms]]:
    """Play until `config.images` samples were shown; yields each step with its loss terms, after it was taken.

    `held_out` are samples that are never trained on: what the discriminators make of them shows whether they memorise.
    """
    if state.plan.sync_batch_norm and ranks.size > 1:  # before the first step: the average was copied without it
        synchronize(state.game, ranks.gather)
    share = config.batch // ranks.size
    loader = Loader(data, config.seed, share, stride=config.batch, device=state.plan.device, needs=state.game.needs)
    device = torch.device(state.plan.device)
    means = batch_means(state.game)
    while state.items < config.images:
        seed_step(mix(config.seed, "step", state.step), device)
        step = Step(state.step, state.items, config.images, ranks.rank, ranks.size, device)
        step.view = discriminator_view(state.balances, config)
        state.game.advance(step)
        moves = Moves(step, state, config, ranks)
        batch: Batch = {}
        if state.balances and held_out and held_out.modality is IMAGES and state.step % MEASURE == 0:
            probe_held_out(state, held_out, config.batch // ranks.size, step)
        turns = state.game.turns()
        for turn in turns:
            due = all(balance.plays(turn, state.step) for balance in state.balances.values())
            for again in range(turn.repeat if due else 0):
                # The first moves of all turns share a batch, and what was made of it; each further move has its own.
                if not batch or again:
                    batch = next_batch(state, loader, config, ranks)
                    step.scratch.clear()
                # What a later move may take back is copied first: the last move of a step takes itself back.
                moves.play(turn, batch, final=turn is turns[-1] and turn.repeat == 1 and not turn.project)
            if not due and turn.watch and any(balance.resting for balance in state.balances.values()):
                batch = batch or next_batch(state, loader, config, ranks)
                moves.observe_resting(turn, batch)
        ranks.mean_(means)
        report = moves.finish()
        state.step += 1
        yield step, report


def discriminator_view(balances: Mapping[str, Balance], config: TrainConfig) -> View | None:
    """How discriminators see data: DiffAugment where the recipe asks for it, then their balance; None: as they are."""
    if not config.diff_augment and not balances:
        return None

    def view(x: Tensor, step: Step, name: str = "") -> Tensor:
        if config.diff_augment and x.ndim == 4:
            x = diff_augment(x, step.uniform, config.diff_augment)
        return balances[name].shown(x, step) if name in balances else x

    return view


def batch_means(game: Game) -> list[Tensor]:
    """The buffers that follow means over a batch, of which each rank has a share: the statistics of BatchNorm and the like."""
    norms = ("running_mean", "running_var")
    found = []
    for module in game.modules():
        is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        names = norms if is_norm else getattr(module, "batch_means", ())
        found += [buffer for name in names if (buffer := getattr(module, name)) is not None]
    return found


def next_batch(state: State, loader: Loader, config: TrainConfig, ranks: Ranks) -> Batch:
    """This rank's share of the next batch."""
    start = state.items + ranks.rank * loader.count
    state.items += config.batch
    return loader.batch(start)


@torch.no_grad()
def probe_held_out(state: State, held_out: Dataset, count: int, step: Step) -> None:
    """Keep the discriminators' logits on samples they were never trained on, before they move: as they will judge the batch."""
    start = step.index // MEASURE * count * step.ranks + step.rank * count
    unseen = fetch(held_out, 0, start, count, state.plan.device)
    buffers = [(buffer, buffer._version, buffer.clone()) for buffer in changing_buffers(state.game)]
    with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
        if isinstance(state.game, Watched):
            step.held_out = dict(state.game.held_out_logits(unseen, step))
    for buffer, version, before in buffers:
        # BatchNorm changes its statistics without a new version. A scalar that kept its version is left alone: to write it
        # would have it read from the device again (`HostNumber`).
        if buffer.ndim or buffer._version != version:
            buffer.copy_(before)
