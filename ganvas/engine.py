"""Play any game: turns in order, gradients averaged over ranks, running averages. Knows turns and nothing else.

`train` is an iterator that yields after each step; its reader (the run folder, the studio, a test) owns the body of the
loop. Every step is seeded from (seed, step) and its batch is a function of (seed, position), so that a run continued from a
checkpoint follows the unbroken one bit for bit on a CPU.

A step that is not finite makes no move: every weight, moment, buffer and pool is as it was before. Nothing is read from the
device until the step is over, and then once.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganvas.balance import MEASURE, WATCHED, Balance
from ganvas.config import TrainConfig
from ganvas.core.modality import IMAGES
from ganvas.core.telemetry import read_together
from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader, fetch
from ganvas.errors import unknown
from ganvas.game import Batch, Game, Step, Terms, Turn, View, Watched
from ganvas.layers.augment import diff_augment
from ganvas.layers.sync_batch_norm import synchronize
from ganvas.machine import Plan, place_on_rank
from ganvas.ranks import Ranks
from ganvas.seeds import mix

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


@dataclass
class State:
    """Everything that training changes."""

    game: Game
    average: Game  # the same game with running averages of the networks sampled from; the rest of it is the game's own
    optimizers: Mapping[str, torch.optim.Optimizer]  # one a player
    plan: Plan
    step: int = 0
    items: int = 0  # samples of the data drawn
    rate: float = 1.0  # factor on every learning rate, halved by a roll-back
    dropped: int = 0  # steps left out because a loss or gradient was not finite
    dropped_in_a_row: int = 0
    moves: dict[str, int] = field(default_factory=dict)  # turn -> moves made: lazy terms count in these
    balances: dict[str, Balance] = field(default_factory=dict)  # discriminator -> its controller
    spare: dict[str, list[Tensor]] = field(default_factory=dict)  # player -> room for a copy of its weights and moments

    @property
    def balance(self) -> Balance | None:
        """The controller of the discriminator of a game that has only one."""
        return self.balances.get("")

    @balance.setter
    def balance(self, balance: Balance | None) -> None:
        self.balances = {} if balance is None else {"": balance}


def begin(game: Game, config: TrainConfig, plan: Plan) -> State:
    """A game about to start: on its device, in its memory format, with one fused Adam a player.

    Raises:
        UsageError: a learning rate for a player that the game does not have.
    """
    for player in config.rates:
        if player not in game.players:
            raise unknown("player in train.rates", player, game.players)
    turns = game.turns()  # before the move to the device: they may depend on a number that lies with the game
    plan = place_on_rank(plan)  # "cuda" is this rank's own GPU from here on
    game.to(plan.device)
    if plan.channels_last:  # each tensor by its own dimensions: a game may have networks for pictures and for solids
        for tensor in itertools.chain(game.parameters(), game.buffers()):
            if tensor.ndim in FORMATS:
                tensor.data = tensor.data.to(memory_format=FORMATS[tensor.ndim])
    betas = (config.adam.beta1, config.adam.beta2)
    optimizers = {
        player: torch.optim.Adam(game.trained_by(player), lr=1.0, betas=betas, eps=config.adam.eps, fused=True)
        for player in game.players
    }
    state = State(game.train(), share_weights(game), optimizers, plan)
    if isinstance(game, Watched) and config.balance != "off":
        for name in game.discriminators:
            steerable = any(turn.steerable for turn in turns if name in turn.discriminators)
            steering = config.balance == "auto" and steerable
            state.balances[name] = Balance(steering, resting=config.balance == "rest", name=name)
    return state


def share_weights(game: Game) -> Game:
    """A copy of the game for its running averages: what is not averaged is the same memory in both, and needs no copying."""
    averaged = tuple(f"{name}." for name in game.averaged)
    own = itertools.chain(game.named_parameters(), game.named_buffers())
    # Other tensor objects on the same memory: the copy asks for no gradients, and the game must.
    shared = {id(tensor): _alias(tensor) for name, tensor in own if not name.startswith(averaged)}
    return copy.deepcopy(game, shared).requires_grad_(False).eval()


def _alias(tensor: Tensor) -> Tensor:
    """Another tensor on the same memory, without a gradient."""
    return nn.Parameter(tensor.detach(), requires_grad=False) if isinstance(tensor, nn.Parameter) else tensor.detach()


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
        step.view = spectacles(state.balances, config)
        state.game.advance(step)
        moves = Moves(step, state, config, ranks)
        batch: Batch = {}
        if state.balances and held_out and held_out.modality is IMAGES and state.step % MEASURE == 0:
            quiz(state, held_out, config.batch // ranks.size, step)
        turns = state.game.turns()
        for turn in turns:
            due = all(balance.plays(turn, state.step) for balance in state.balances.values())
            for again in range(turn.repeat if due else 0):
                # The first moves of all turns share a batch, and what was made of it; each further move has its own.
                if not batch or again:
                    batch = draw(state, loader, config, ranks)
                    step.scratch.clear()
                # What a later move may take back is copied first: the last move of a step takes itself back.
                moves.play(turn, batch, final=turn is turns[-1] and turn.repeat == 1 and not turn.project)
            if not due and turn.watch and any(balance.resting for balance in state.balances.values()):
                batch = batch or draw(state, loader, config, ranks)
                moves.observe_resting(turn, batch)
        ranks.mean_(means)
        report = moves.finish()
        state.step += 1
        yield step, report


def spectacles(balances: Mapping[str, Balance], config: TrainConfig) -> View | None:
    """How discriminators see data: DiffAugment where the recipe asks for it, then their balance; None: as they are."""
    if not config.diff_augment and not balances:
        return None

    def view(x: Tensor, step: Step, name: str = "") -> Tensor:
        if config.diff_augment and x.ndim == 4:
            x = diff_augment(x, step.uniform, config.diff_augment)
        return balances[name].shown(x, step) if name in balances else x

    return view


class Moves:
    """The moves of one step. They are gated on the device, and end with the only read from it."""

    def __init__(self, step: Step, state: State, config: TrainConfig, ranks: Ranks) -> None:
        self.step, self.state, self.config, self.ranks = step, state, config, ranks
        self.buffers = [(buffer, buffer.clone()) for buffer in changing_buffers(state.game)]
        self.report: Terms = {}
        self.broken = torch.zeros((), device=step.device)  # 1 from the first loss or gradient on that is not finite
        self.made: dict[str, int] = {}  # turn -> moves in this step
        self.saved: dict[str, list[Tensor]] = {}  # player whose weights were copied -> those that had no moments yet

    def play(self, turn: Turn, batch: Batch, final: bool) -> None:
        """One optimiser move of one player; only its weights get gradients. Makes none if a number so far is not finite."""
        step, state, optimizer = self.step, self.state, self.state.optimizers[turn.trains]
        if not final:
            self.save(turn.trains)
        # A turn that begins late in a run (the game after a warm-up) counts on from the step, as if it had always moved.
        step.move = state.moves.get(turn.name, state.step) + self.made.get(turn.name, 0)
        self.made[turn.name] = self.made.get(turn.name, 0) + 1
        with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
            terms = turn.loss(batch, step)
        # A lazy term is k times its mean share, in one move of k: the log gets the share.
        values = {name: term.detach() / step.lazy.get(name, 1) for name, term in terms.items()}
        weights: list[nn.Parameter] = optimizer.param_groups[0]["params"]
        optimizer.zero_grad()
        sum(terms.values(), torch.zeros((), device=step.device)).backward(inputs=weights)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        self.ranks.mean_([*gradients, *values.values(), *self.shared_notes()])
        self.report.update(values)
        step.notes[f"gradient_{turn.name}"] = norm = torch.stack(torch._foreach_norm(gradients)).norm()
        # Once broken, always broken: a generator must not answer a discriminator whose move was left out.
        self.broken = torch.maximum(self.broken, (~torch.isfinite(norm + sum(values.values()))).float())
        rate = self.config.learning_rate * self.config.rates.get(turn.trains, 1.0) * self.config.schedule.at(step.progress)
        level = min((balance.rate for balance in state.balances.values() if balance.steers(turn)), default=1.0)
        optimizer.param_groups[0]["lr"] = rate * state.rate * level
        self.gate(optimizer)
        if turn.project:
            turn.project()

    def gate(self, optimizer: torch.optim.Optimizer) -> None:
        """Let the optimiser move unless the step is broken, without asking the device whether it is."""
        if optimizer.param_groups[0].get("fused"):
            optimizer.found_inf = self.broken  # type: ignore[attr-defined]  # read by fused optimisers, as of GradScaler
            optimizer.step()
        elif not self.broken:  # plain optimisers have no such gate: this asks
            optimizer.step()

    def observe_resting(self, turn: Turn, batch: Batch) -> None:
        """A player that rests still says what it makes of this batch, which decides about the next."""
        with torch.autocast(self.step.device.type, torch.bfloat16, enabled=self.state.plan.autocast):
            if turn.watch:
                turn.watch(batch, self.step)
        self.ranks.mean_(self.shared_notes())

    def shared_notes(self) -> list[Tensor]:
        """The notes that decide what happens next: they must be one number on all ranks."""
        keys = [balance.key(name) for balance in self.state.balances.values() for name in WATCHED]
        return [self.step.notes[key] for key in keys if key in self.step.notes]

    @torch.no_grad()
    def finish(self) -> Terms:
        """Read all numbers at once; keep what the moves did, or take it back. Returns the terms, on the CPU."""
        step, state = self.step, self.state
        report, step.notes, flags = read_together(self.report, step.notes, {"broken": self.broken})
        step.values = {name: float(value) for name, value in (report | step.notes).items() if value.numel() == 1}
        if float(flags["broken"]):
            self.undo()
            return report
        for name, count in self.made.items():
            state.moves[name] = state.moves.get(name, state.step) + count
        for memory in state.game.memories().values():
            memory.keep()
        follow(state, self.config, state.items - step.items_seen)
        for balance in state.balances.values():
            balance.observe(step)
        step.notes |= {name: torch.tensor(value) for name, value in step.values.items() if name not in report | step.notes}
        return report

    @torch.no_grad()
    def save(self, player: str) -> None:
        """Copy a player's weights and moments before its first move of this step."""
        if player in self.saved:
            return
        optimizer = self.state.optimizers[player]
        self.saved[player] = [weight for weight in optimizer.param_groups[0]["params"] if not optimizer.state[weight]]
        tensors = _moving(optimizer)
        if len(self.state.spare.get(player, ())) != len(tensors):  # at first, and whenever moments have come
            self.state.spare[player] = [torch.empty_like(tensor) for tensor in tensors]
        torch._foreach_copy_(self.state.spare[player], tensors)

    def undo(self) -> None:
        """Leave the step out: put back what its moves and its forward passes changed."""
        state = self.state
        for player, without in self.saved.items():
            for weight in without:  # their moments came with this step, which makes no move
                state.optimizers[player].state[weight].clear()
            torch._foreach_copy_(_moving(state.optimizers[player]), state.spare[player])
        for buffer, before in self.buffers:
            buffer.copy_(before)
        for memory in state.game.memories().values():
            memory.undo()
        state.dropped += 1
        state.dropped_in_a_row += 1


def _moving(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The weights of an optimiser and its moments: all that a move changes."""
    weights: list[Tensor] = optimizer.param_groups[0]["params"]
    found = [weight.detach() for weight in weights]
    for weight in weights:
        # By name: after a checkpoint was loaded they stand in another order, and the copy is of the order before.
        found += [value for _, value in sorted(optimizer.state[weight].items()) if isinstance(value, Tensor)]
    return found


def changing_buffers(game: Game) -> list[Tensor]:
    """The buffers that a step may change: all but those that a module calls its `constants`."""
    return [
        buffer
        for module in game.modules()
        for name, buffer in module.named_buffers(recurse=False)
        if name not in getattr(module, "constants", ())
    ]


def batch_means(game: Game) -> list[Tensor]:
    """The buffers that follow means over a batch, of which each rank has a share: the statistics of BatchNorm and the like."""
    norms = ("running_mean", "running_var")
    found = []
    for module in game.modules():
        is_norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        names = norms if is_norm else getattr(module, "batch_means", ())
        found += [buffer for name in names if (buffer := getattr(module, name)) is not None]
    return found


def draw(state: State, loader: Loader, config: TrainConfig, ranks: Ranks) -> Batch:
    """This rank's share of the next batch."""
    start = state.items + ranks.rank * loader.count
    state.items += config.batch
    return loader.batch(start)


@torch.no_grad()
def quiz(state: State, held_out: Dataset, count: int, step: Step) -> None:
    """Keep the discriminators' logits on samples they were never trained on, before they move: as they will judge the batch."""
    start = step.index // MEASURE * count * step.ranks + step.rank * count
    unseen = fetch(held_out, 0, start, count, state.plan.device)
    buffers = [(buffer, buffer._version, buffer.clone()) for buffer in changing_buffers(state.game)]
    with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
        if isinstance(state.game, Watched):
            step.held_out = dict(state.game.verdicts(unseen, step))
    for buffer, version, before in buffers:
        # BatchNorm changes its statistics without a new version. A scalar that kept its version is left alone: to write it
        # would have it read from the device again (`HostNumber`).
        if buffer.ndim or buffer._version != version:
            buffer.copy_(before)


@torch.no_grad()
def follow(state: State, config: TrainConfig, images: int) -> None:
    """Move the running averages (EMA) towards the weights, by the `images` of this step; buffers are copied.

    The half-life is in images, however many batches a step takes, and grows with the run, so that early averages are not
    held back. Source: arXiv:1912.04958 code, arXiv:1710.10196.
    """
    state.dropped_in_a_row = 0
    halflife = min(config.average_halflife, 0.05 * state.items)
    keep = 0.5 ** (images / halflife) if halflife else 0.0
    for name in state.game.averaged:
        network, average = getattr(state.game, name), getattr(state.average, name)
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
        for copy_, buffer in zip(average.buffers(), network.buffers(), strict=True):
            copy_.copy_(buffer)


def dump(state: State, ranks: Ranks = Ranks()) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """All tensors by group and all counters of a state, for a checkpoint. With several ranks all of them must call it."""
    tensors = {"game": dict(state.game.state_dict()), "average": dict(portrait(state).state_dict())}
    for player, optimizer in state.optimizers.items():
        weights = optimizer.param_groups[0]["params"]
        tensors[f"optimizer.{player}"] = {
            f"{i}.{name}": value for i, weight in enumerate(weights) for name, value in optimizer.state[weight].items()
        }
    balances: dict[str, Any] = {name: balance.dump() for name, balance in state.balances.items()}
    return tensors | dump_memories(state, ranks), {
        "step": state.step,
        "items": state.items,
        "dropped": state.dropped,
        "dropped_in_a_row": state.dropped_in_a_row,
        "moves": dict(state.moves),
        "balance": balances.get("", balances),
    }


def dump_memories(state: State, ranks: Ranks) -> dict[str, dict[str, Tensor]]:
    """The pools of every rank, each a group of its own; {} in a game without any."""
    pools = state.game.memories()
    if not pools:
        return {}
    own = {name: held for name, pool in pools.items() if (held := pool.dump()) is not None}
    every: list[dict[str, Tensor]] = [own] * ranks.size
    if ranks.size > 1:  # each rank has shown its discriminators other fakes: rank 0 writes for all
        dist.all_gather_object(every, {name: held.cpu() for name, held in own.items()})
    return {f"memory.{rank}": held for rank, held in enumerate(every) if held}


def restore(state: State, tensors: dict[str, dict[str, Tensor]], counters: dict[str, Any], ranks: Ranks = Ranks()) -> None:
    """Put a dumped state back, bit for bit, in the memory format of the networks.

    A checkpoint from before turns counted their moves, or of a game that had no pool, begins these anew.
    """
    state.game.load_state_dict(tensors["game"])
    state.average.load_state_dict(tensors["average"])
    for player, optimizer in state.optimizers.items():
        saved = tensors[f"optimizer.{player}"]
        for i, weight in enumerate(optimizer.param_groups[0]["params"]):
            moments = {name.partition(".")[2]: value for name, value in saved.items() if name.startswith(f"{i}.")}
            optimizer.state[weight] = {name: _placed(value, weight) for name, value in moments.items()}
    state.spare.clear()  # a checkpoint has the moments in another order
    for name in ("step", "items", "dropped", "dropped_in_a_row"):
        setattr(state, name, counters[name])
    state.moves = dict(counters.get("moves", {}))
    for name, pool in state.game.memories().items():
        pool.restore(tensors.get(f"memory.{ranks.rank}", {}).get(name), state.plan.device)
    for name, balance in state.balances.items():
        balance.restore(counters["balance"][name] if name else counters["balance"])


def _placed(value: Tensor, weight: Tensor) -> Tensor:
    """A copy of an optimiser's value where its weight lies, in the weight's memory format where it has its shape."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value.to(weight.device, copy=True)


def portrait(state: State) -> Game:
    """The game as it is used: running averages where it has them, the latest weights elsewhere, which it shares."""
    return state.average
