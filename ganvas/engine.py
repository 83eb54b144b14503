"""Play any game: turns in order, gradients averaged over ranks, running averages. Knows turns and nothing else.

`train` is an iterator that yields after each step; whoever reads it (the run folder, the studio, a test) owns the body
of the loop. Every step is seeded from (seed, step) and its batch is a function of (seed, position), so that a run
continued from a checkpoint follows the unbroken one bit for bit on a CPU.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.balance import MEASURE, WATCHED, Balance
from ganvas.config import TrainConfig
from ganvas.core.modality import IMAGES
from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader, fetch
from ganvas.errors import unknown
from ganvas.game import Batch, Conditional, Fades, Game, Judges, Step, Terms, Turn
from ganvas.layers.augment import diff_augment
from ganvas.layers.sync_batch_norm import synchronize
from ganvas.machine import Plan, on_this_rank
from ganvas.ranks import Ranks
from ganvas.seeds import mix


@dataclass
class State:
    """Everything that training changes."""

    game: Game
    average: Game  # the same game with running averages of the networks sampled from
    optimizers: Mapping[str, torch.optim.Optimizer]  # one a player
    plan: Plan
    step: int = 0
    items: int = 0  # samples of the data drawn
    rate: float = 1.0  # factor on every learning rate, halved by a roll-back
    dropped: int = 0  # steps left out because a loss or gradient was not finite
    dropped_in_a_row: int = 0
    lazy: dict[str, int] = field(default_factory=dict)  # player -> interval of its lazy turn
    balance: Balance | None = None


def begin(game: Game, config: TrainConfig, plan: Plan) -> State:
    """A game about to start: on its device, in its memory format, with one fused Adam a player.

    Raises:
        UsageError: a learning rate for a player that the game does not have.
    """
    for player in config.rates:
        if player not in game.players:
            raise unknown("player in train.rates", player, game.players)
    plan = on_this_rank(plan)  # "cuda" is this rank's own GPU from here on
    game.to(plan.device)
    if plan.channels_last:
        solid = any(weight.ndim == 5 for weight in game.parameters())
        game.to(memory_format=torch.channels_last_3d if solid else torch.channels_last)  # type: ignore[call-overload]
    lazy = {turn.trains: turn.every for turn in game.turns() if turn.every > 1}
    optimizers = {}
    for player in game.players:
        # A lazy turn adds a move every k steps; rate and moments shrink to match. Source: arXiv:1912.04958 appendix B.
        share = lazy.get(player, 1) / (lazy[player] + 1) if player in lazy else 1.0
        betas = (config.adam.beta1**share, config.adam.beta2**share)
        optimizers[player] = torch.optim.Adam(game.trained_by(player), lr=1.0, betas=betas, eps=config.adam.eps, fused=True)
    average = copy.deepcopy(game).requires_grad_(False).eval()
    watched = config.balance != "off" and isinstance(game, Judges)
    steered = config.balance == "auto" and any(turn.steerable for turn in game.turns())
    balance = Balance(steering=steered, resting=config.balance == "rest") if watched else None
    return State(game.train(), average, optimizers, plan, lazy=lazy, balance=balance)


def train(
    state: State, data: Dataset, config: TrainConfig, ranks: Ranks = Ranks(), held_out: Dataset | None = None
) -> Iterator[tuple[Step, Terms]]:
    """Play until `config.images` samples were shown; yields each step with its loss terms, after it was taken.

    `held_out` are samples that are never trained on: the critic's verdict on them tells what it has learnt by heart.
    """
    if state.plan.sync_batch_norm and ranks.size > 1:  # before the first step: the average was copied without it
        synchronize(state.game, ranks.gather)
    share = config.batch // ranks.size
    loader = Loader(data, config.seed, share, stride=config.batch, device=state.plan.device, needs=state.game.needs)
    while state.items < config.images:
        torch.manual_seed(mix(config.seed, "step", state.step))
        step = Step(state.step, state.items, config.images, ranks.rank, ranks.size, torch.device(state.plan.device))
        balance = state.balance
        step.view = spectacles(balance, config)
        state.game.advance(step)
        buffers = [(buffer, buffer.clone()) for buffer in state.game.buffers()]
        report: Terms = {}
        batch: Batch = {}
        finite = True
        if balance and held_out and held_out.modality is IMAGES and state.step % MEASURE == 0:
            quiz(state, held_out, config.batch // ranks.size, step)
        for turn in state.game.turns():
            due = state.step % turn.every == 0 and (balance is None or balance.plays(turn, state.step))
            for move in range(turn.repeat if due else 0):
                if not batch or move:
                    batch = draw(state, loader, config, ranks)
                    step.scratch.clear()
                finite = play(turn, batch, step, state, config, ranks, report) and finite
            if not due and balance and balance.resting and turn.watch:
                batch = batch or draw(state, loader, config, ranks)
                look_on(turn.watch, batch, step, state, ranks)
        ranks.mean_([buffer for buffer, _ in buffers if buffer.is_floating_point()])
        follow(state, config) if finite else undo(state, buffers)
        if balance and finite:
            balance.observe(step)
        step.notes.pop("unseen_logits", None)
        state.step += 1
        yield step, report


def spectacles(balance: Balance | None, config: TrainConfig) -> Callable[[Tensor, Step], Tensor] | None:
    """How critics see data: DiffAugment where the recipe asks for it, then what the balance does; None: as it is."""
    if not config.diff_augment:
        return balance.shown if balance else None

    def view(x: Tensor, step: Step) -> Tensor:
        x = diff_augment(x, step.uniform, config.diff_augment) if x.ndim == 4 else x
        return balance.shown(x, step) if balance else x

    return view


def play(turn: Turn, batch: Batch, step: Step, state: State, config: TrainConfig, ranks: Ranks, report: Terms) -> bool:
    """One optimiser move of one player; only its weights get gradients. False, and no move, if these are not finite."""
    optimizer = state.optimizers[turn.trains]
    with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
        terms = turn.loss(batch, step)
    values = {name: term.detach().clone() for name, term in terms.items()}
    weights: list[nn.Parameter] = optimizer.param_groups[0]["params"]
    optimizer.zero_grad()
    (sum(terms.values(), torch.zeros((), device=step.device)) * turn.every).backward(inputs=weights)
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    ranks.mean_([*gradients, *values.values(), *seen(step)])
    report.update(values)
    step.notes[f"gradient_{turn.name}"] = norm = torch.stack(torch._foreach_norm(gradients)).norm()
    if not torch.isfinite(norm + sum(values.values())):
        return False
    share = state.lazy[turn.trains] / (state.lazy[turn.trains] + 1) if turn.trains in state.lazy else 1.0
    rate = config.learning_rate * config.rates.get(turn.trains, 1.0) * config.schedule.at(step.progress)
    level = state.balance.rate(turn.trains) if state.balance and turn.steerable else 1.0
    optimizer.param_groups[0]["lr"] = rate * share * state.rate * level
    optimizer.step()
    if turn.project:
        turn.project()
    return True


def look_on(watch: Callable[[Batch, Step], object], batch: Batch, step: Step, state: State, ranks: Ranks) -> None:
    """A player who rests still says what it thinks of this batch, which decides about the next."""
    with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
        watch(batch, step)
    ranks.mean_(seen(step))


def seen(step: Step) -> list[Tensor]:
    """The notes that decide what happens next: they must be one number on all ranks."""
    return [step.notes[name] for name in WATCHED if name in step.notes]


def draw(state: State, loader: Loader, config: TrainConfig, ranks: Ranks) -> Batch:
    """This rank's share of the next batch."""
    start = state.items + ranks.rank * loader.count
    state.items += config.batch
    return loader.batch(start)


@torch.no_grad()
def quiz(state: State, held_out: Dataset, count: int, step: Step) -> None:
    """Note the critic's logits on samples it was never trained on, before it moves: as it will judge the batch."""
    start = step.index // MEASURE * count * step.ranks + step.rank * count
    unseen = fetch(held_out, 0, start, count, state.plan.device)
    buffers = [(buffer, buffer.clone()) for buffer in state.game.buffers()]
    with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
        c = unseen["label"] if isinstance(state.game, Conditional) else None
        real = state.game.faded(unseen["real"]) if isinstance(state.game, Fades) else unseen["real"]
        step.notes["unseen_logits"] = state.game.judge(step.shown(real), c).float()  # type: ignore[operator]
    for buffer, before in buffers:
        buffer.copy_(before)


@torch.no_grad()
def follow(state: State, config: TrainConfig) -> None:
    """Move the running averages a little towards the weights; what is no weight is copied.

    The half-life grows with the run, so that early averages are not held back. Source: arXiv:1912.04958 code, arXiv:1710.10196.
    """
    state.dropped_in_a_row = 0
    halflife = min(config.average_halflife, 0.05 * state.items)
    keep = 0.5 ** (config.batch / halflife) if halflife else 0.0
    for name in state.game.averaged:
        network, average = getattr(state.game, name), getattr(state.average, name)
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
        for copy_, buffer in zip(average.buffers(), network.buffers(), strict=True):
            copy_.copy_(buffer)


@torch.no_grad()
def undo(state: State, buffers: list[tuple[Tensor, Tensor]]) -> None:
    """Leave a step out that was not finite: no move was made; what the forward passes changed is put back."""
    for buffer, before in buffers:
        buffer.copy_(before)
    state.dropped += 1
    state.dropped_in_a_row += 1


def dump(state: State) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """All tensors by group and all counters of a state, for a checkpoint."""
    tensors = {"game": dict(state.game.state_dict()), "average": dict(portrait(state).state_dict())}
    for player, optimizer in state.optimizers.items():
        weights = optimizer.param_groups[0]["params"]
        tensors[f"optimizer.{player}"] = {
            f"{i}.{name}": value for i, weight in enumerate(weights) for name, value in optimizer.state[weight].items()
        }
    return tensors, {
        "step": state.step,
        "items": state.items,
        "dropped": state.dropped,
        "dropped_in_a_row": state.dropped_in_a_row,
        "balance": state.balance.dump() if state.balance else {},
    }


def restore(state: State, tensors: dict[str, dict[str, Tensor]], counters: dict[str, Any]) -> None:
    """Put a dumped state back, bit for bit, in the memory format of the networks."""
    state.game.load_state_dict(tensors["game"])
    state.average.load_state_dict(tensors["average"])
    for player, optimizer in state.optimizers.items():
        saved = tensors[f"optimizer.{player}"]
        for i, weight in enumerate(optimizer.param_groups[0]["params"]):
            moments = {name.partition(".")[2]: value for name, value in saved.items() if name.startswith(f"{i}.")}
            optimizer.state[weight] = {name: _placed(value, weight) for name, value in moments.items()}
    for name in ("step", "items", "dropped", "dropped_in_a_row"):
        setattr(state, name, counters[name])
    if state.balance:
        state.balance.restore(counters["balance"])


def _placed(value: Tensor, weight: Tensor) -> Tensor:
    """A copy of an optimiser's value where its weight lies, in the weight's memory format where it has its shape."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value.to(weight.device, copy=True)


def portrait(state: State) -> Game:
    """The game as it is used: running averages where it has them, the latest weights elsewhere."""
    averaged = tuple(f"{name}." for name in state.game.averaged)
    rest = {name: value for name, value in state.game.state_dict().items() if not name.startswith(averaged)}
    state.average.load_state_dict(rest, strict=False)
    return state.average
