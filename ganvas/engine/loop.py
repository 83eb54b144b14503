"""The training loop: play the turns of a game in order, average over ranks, update the EMA. It knows turns and nothing else.

`train` is an iterator that yields after each step. The caller (trainer, studio, test) writes the body of the loop.

Everything random in a step is seeded from (seed, step), and its batch is a function of (seed, position). So a run that
continues from a checkpoint gives the same bits as an unbroken run, on a CPU.

A move with a number that is not finite is not made, nor is any later move of its step (`Moves`).
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
from ganvas.engine.balance import FEW, MEASURE, Balance
from ganvas.engine.moves import Moves, changing_buffers
from ganvas.engine.state import State
from ganvas.layers.diff_augment import diff_augment
from ganvas.layers.sync_batch_norm import synchronize
from ganvas.runtime.distributed import Ranks
from ganvas.utils.seeds import mix


def train(
    state: State, data: Dataset, config: TrainConfig, ranks: Ranks = Ranks(), held_out: Dataset | None = None
) -> Iterator[tuple[Step, Terms]]:
    """Train until `config.images` samples were used; yields each step with its loss terms, after it was made.

    `held_out` are samples without training: the outputs of the discriminators on them show whether they overfit.
    """
    # BatchNorm over the batch of all ranks. Only the game changes: its average was copied before.
    if state.plan.sync_batch_norm and ranks.size > 1:
        synchronize(state.game, ranks.gather)
    device, share = torch.device(state.plan.device), config.batch // ranks.size
    loader = Loader(data, config.seed, share, stride=config.batch, device=state.plan.device, needs=state.game.needs)
    means = batch_means(state.game)
    for balance in state.balances.values():
        balance.unwatched = data.modality is IMAGES and not held_out and len(data) < FEW

    while state.items < config.images:
        # Begin the step: seed it, and let the game follow its schedule (growth, temperature).
        seed_step(mix(config.seed, "step", state.step), device)
        step = Step(state.step, state.items, config.images, ranks.rank, ranks.size, device)
        step.view = discriminator_view(state.balances, config)
        state.game.advance(step)
        moves = Moves(step, state, config, ranks)

        # Measure the discriminators on held-out samples, before they move, now and then: it costs a forward pass.
        if state.balances and held_out and held_out.modality is IMAGES and state.step % MEASURE == 0:
            probe_held_out(state, held_out, share, step)

        # Play the turns. The first moves of all turns share a batch and its fakes; each further move has its own.
        batch: Batch = {}
        for turn in state.game.turns():
            if not all(balance.plays(turn, state.step) for balance in state.balances.values()):
                if turn.watch and any(balance.resting for balance in state.balances.values()):
                    batch = batch or next_batch(state, loader, config, ranks)
                    moves.observe_resting(turn, batch)
                continue
            for again in range(turn.repeat):
                if not batch or again:
                    batch = next_batch(state, loader, config, ranks)
                    step.scratch.clear()
                moves.play(turn, batch)

        # End the step: equal statistics on all ranks, one read from the device, then EMA and balance.
        ranks.mean_(means)
        report = moves.finish()
        state.step += 1
        yield step, report


def seed_step(seed: int, device: torch.device) -> None:
    """Seed the generators that a step draws from: that of the CPU and that of its device.

    `torch.manual_seed` seeds every kind of device and takes up to 1.5 ms.
    """
    torch.default_generator.manual_seed(seed)
    if device.type not in ("cpu", "meta"):
        torch.get_device_module(device.type).manual_seed(seed)


def discriminator_view(balances: Mapping[str, Balance], config: TrainConfig) -> View | None:
    """What is done to every input of a discriminator: DiffAugment of the recipe, then its balance. None: nothing."""
    if not config.diff_augment and not balances:
        return None

    def view(x: Tensor, step: Step, name: str = "") -> Tensor:
        if config.diff_augment and IMAGES.matches(x):
            x = diff_augment(x, step.uniform, config.diff_augment)
        return balances[name].perturb(x, step) if name in balances else x

    return view


def next_batch(state: State, loader: Loader, config: TrainConfig, ranks: Ranks) -> Batch:
    """This rank's share of the next batch. Ranks take neighbouring parts, so that their union is the batch of one rank."""
    start = state.items + ranks.rank * loader.count
    state.items += config.batch
    return loader.batch(start)


def batch_means(game: Game) -> list[Tensor]:
    """The buffers that are running means over a batch, such as the statistics of BatchNorm.

    Each rank computes them on its own share of the batch, so the ranks have to average them.
    """
    norms = ("running_mean", "running_var")
    found = []
    for module in game.modules():
        is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        names = norms if is_norm else getattr(module, "batch_means", ())
        found += [buffer for name in names if (buffer := getattr(module, name)) is not None]
    return found


@torch.no_grad()
def probe_held_out(state: State, held_out: Dataset, count: int, step: Step) -> None:
    """Store the logits of each discriminator on `count` held-out samples, seen as it sees the batch, in `step.held_out`."""
    start = step.index // MEASURE * count * step.ranks + step.rank * count
    batch = fetch(held_out, 0, start, count, state.plan.device)
    buffers = [(buffer, buffer._version, buffer.clone()) for buffer in changing_buffers(state.game)]
    with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
        if isinstance(state.game, Watched):
            step.held_out = dict(state.game.held_out_logits(batch, step))
    # A measurement must not change the statistics of the networks.
    for buffer, version, before in buffers:
        # BatchNorm changes its statistics without a new version, so a tensor is always put back. A scalar with its old
        # version is unchanged, and writing it would make `HostNumber` read it from the device again.
        if buffer.ndim or buffer._version != version:
            buffer.copy_(before)
