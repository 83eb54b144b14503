"""The state of a training: networks, EMA, optimizers, counters; how it starts, and how a checkpoint stores and restores it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.capabilities import Watched
from ganvas.core.game import Game, Turn
from ganvas.engine.balance import Balance
from ganvas.errors import DataError, unknown_name
from ganvas.runtime.device import place_on_rank
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.utils.parsing import printable

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


@dataclass
class State:
    """Everything that training changes."""

    game: Game
    average: Game  # the same game with the EMA of the averaged networks; the other tensors are shared with `game`
    optimizers: Mapping[str, torch.optim.Optimizer]  # one a player
    plan: Plan
    step: int = 0
    items: int = 0  # training samples used
    rate: float = 1.0  # factor on every learning rate, halved by each roll-back
    dropped: int = 0  # steps left out because a loss or gradient was not finite
    dropped_in_a_row: int = 0
    moves: dict[str, int] = field(default_factory=dict)  # turn -> moves made: lazy terms count these
    balances: dict[str, Balance] = field(default_factory=dict)  # discriminator -> its controller; "" for the only one


def new_state(game: Game, config: TrainConfig, plan: Plan) -> State:
    """The state at the start: the game on its device, in its memory format, with one fused Adam a player.

    Raises:
        UsageError: a learning rate for a player that the game does not have.
    """
    for player in config.rates:
        if player not in game.players:
            raise unknown_name("player in train.rates", player, game.players)
    turns = game.turns()  # before the move to the device: a game that grows reads its level for it
    _require_distinct(turns)

    # Place the networks: "cuda" becomes the GPU of this rank.
    plan = place_on_rank(plan)
    game.to(plan.device)
    if plan.channels_last:  # tensor by tensor: a game may have networks for images and for voxels
        for tensor in itertools.chain(game.parameters(), game.buffers()):
            if tensor.ndim in FORMATS:
                tensor.data = tensor.data.to(memory_format=FORMATS[tensor.ndim])

    # One Adam for each player. The learning rate is set in every move.
    betas = (config.adam.beta1, config.adam.beta2)
    optimizers = {
        player: torch.optim.Adam(game.player_parameters(player), lr=1.0, betas=betas, eps=config.adam.eps, fused=True)
        for player in game.players
    }

    # One controller for each discriminator. It steers where a turn allows it; a WGAN critic should be at its optimum.
    state = State(game.train(), share_weights(game), optimizers, plan)
    if isinstance(game, Watched) and config.balance != "off":
        for name in game.discriminators:
            steerable = any(turn.steerable for turn in turns if name in turn.discriminators)
            steering = config.balance == "auto" and steerable
            state.balances[name] = Balance(steering, resting=config.balance == "rest", name=name)
    return state


def _require_distinct(turns: Sequence[Turn]) -> None:
    """Raises: ValueError: two turns have one name, or share a discriminator: their moves and notes could not be told apart."""
    for what, names in (
        ("turn", [turn.name for turn in turns]),
        ("discriminator", [name for turn in turns for name in turn.discriminators]),
    ):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a game needs {what}s of different names, found {twice[0]!r} twice; give each Duel a name")


def share_weights(game: Game) -> Game:
    """A copy of the game for the EMA. Networks that are not averaged share their memory with the game."""
    averaged = tuple(f"{name}." for name in game.averaged)
    own = itertools.chain(game.named_parameters(), game.named_buffers())
    # New tensor objects on the same memory, because the copy needs no gradients and the game does.
    shared = {id(tensor): _alias(tensor) for name, tensor in own if not name.startswith(averaged)}
    return copy.deepcopy(game, shared).requires_grad_(False).eval()


def _alias(tensor: Tensor) -> Tensor:
    """A second tensor object on the same memory; it needs no gradient."""
    return nn.Parameter(tensor.detach(), requires_grad=False) if isinstance(tensor, nn.Parameter) else tensor.detach()


def dump(state: State, ranks: Ranks = Ranks()) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """All tensors of a state by group, and all its counters, for a checkpoint. With several ranks, all ranks must call it."""
    tensors = {"game": dict(state.game.state_dict()), "average": dict(averaged_game(state).state_dict())}
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
    """The pools of old fakes of every rank, a group for each rank; {} if the game has none."""
    pools = state.game.memories()
    if not pools:
        return {}
    own = {name: held for name, pool in pools.items() if (held := pool.dump()) is not None}
    every: list[dict[str, Tensor]] = [own] * ranks.size
    if ranks.size > 1:  # each rank has its own fakes in its pools, and rank 0 writes the checkpoint
        dist.all_gather_object(every, {name: held.cpu() for name, held in own.items()})
    return {f"memory.{rank}": held for rank, held in enumerate(every) if held}


def restore(state: State, tensors: dict[str, dict[str, Tensor]], counters: dict[str, Any], ranks: Ranks = Ranks()) -> None:
    """Put a dumped state back, bit for bit, in the memory format of the networks.

    An older checkpoint may have no number of moves and no pool: they start empty.
    """
    state.game.load_state_dict(tensors["game"])
    state.average.load_state_dict(tensors["average"])
    for player, optimizer in state.optimizers.items():
        saved = tensors[f"optimizer.{player}"]
        for i, weight in enumerate(optimizer.param_groups[0]["params"]):
            moments = {name.partition(".")[2]: value for name, value in saved.items() if name.startswith(f"{i}.")}
            optimizer.state[weight] = {name: _place_like(value, weight) for name, value in moments.items()}
    for name in ("step", "items", "dropped", "dropped_in_a_row"):
        setattr(state, name, counters[name])
    state.moves = dict(counters.get("moves", {}))
    for name, pool in state.game.memories().items():
        pool.restore(tensors.get(f"memory.{ranks.rank}", {}).get(name), state.plan.device)
    for name, balance in state.balances.items():
        balance.restore(counters["balance"][name] if name else counters["balance"])


def check_fits(state: State, tensors: Mapping[str, Mapping[str, Tensor]], counters: Any) -> None:
    """Check that `restore` can put these tensors and counters back. An optimizer may lack moments: they start at zero.

    Raises:
        DataError: they are of another game, of networks of another size, or no counters.
    """
    for group, own in (("game", state.game), ("average", state.average)):
        _check_tensors(group, tensors, {name: t.shape for name, t in own.state_dict().items()}, every=True)
    for player, optimizer in state.optimizers.items():
        expected: dict[str, torch.Size] = {}
        for i, weight in enumerate(optimizer.param_groups[0]["params"]):
            expected |= {f"{i}.{name}": weight.shape for name in ("exp_avg", "exp_avg_sq")} | {f"{i}.step": torch.Size()}
        _check_tensors(f"optimizer.{player}", tensors, expected, every=False)
    if not isinstance(counters, Mapping):
        raise DataError("it has no counters")
    for name in ("step", "items", "dropped", "dropped_in_a_row"):
        if type(counters.get(name)) is not int or counters[name] < 0:
            raise DataError(f"its counter {name!r} is no whole number: {printable(counters.get(name), 40)}")
    moves, balances = counters.get("moves", {}), counters.get("balance", {})
    if not isinstance(moves, Mapping) or not all(type(count) is int for count in moves.values()):
        raise DataError("its numbers of moves are no whole numbers")
    for name, balance in state.balances.items():
        numbers = balances.get(name) if name and isinstance(balances, Mapping) else balances
        if not isinstance(numbers, Mapping) or not balance.accepts(numbers):
            raise DataError(f"it has no numbers of the balance {name!r}" if name else "it has no numbers of the balance")


def _check_tensors(
    group: str, tensors: Mapping[str, Mapping[str, Tensor]], expected: Mapping[str, torch.Size], every: bool
) -> None:
    """Raises: DataError: the group is missing, or its tensors have other names or shapes; `every`: one is missing."""
    if group not in tensors:
        raise DataError(f"it has no {group!r}: it is of another game")
    found = tensors[group]
    if stranger := next((name for name in found if name not in expected), None):
        raise DataError(f"{group}: unexpected {printable(stranger, 80)}: it is of another game or other settings")
    if every and (missing := next((name for name in expected if name not in found), None)):
        raise DataError(f"{group}: no {printable(missing, 80)}: it is of another game or other settings")
    for name, tensor in found.items():
        if tensor.shape != expected[name]:
            sizes = f"expected {list(expected[name])}, found {list(tensor.shape)}"
            raise DataError(f"{group}/{name}: {sizes}: it is of networks of another size")


def _place_like(value: Tensor, weight: Tensor) -> Tensor:
    """A copy of a value of the optimizer, on the device of its weight; a moment also gets the weight's memory format."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value.to(weight.device, copy=True)


def averaged_game(state: State) -> Game:
    """The game to sample from and to save: the EMA of the averaged networks, and the latest weights of the others."""
    return state.average
