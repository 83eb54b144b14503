"""TODO docstring of ganvas.engine.moves."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.telemetry import read_together
from ganvas.engine.balance import WATCHED
from ganvas.engine.ema import update_ema
from ganvas.engine.state import State
from ganvas.runtime.distributed import Ranks


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
        update_ema(state, self.config, state.items - step.items_seen)
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
        tensors = _weights_and_moments(optimizer)
        if len(self.state.spare.get(player, ())) != len(tensors):  # at first, and whenever moments have come
            self.state.spare[player] = [torch.empty_like(tensor) for tensor in tensors]
        torch._foreach_copy_(self.state.spare[player], tensors)

    def undo(self) -> None:
        """Leave the step out: put back what its moves and its forward passes changed."""
        state = self.state
        for player, without in self.saved.items():
            for weight in without:  # their moments came with this step, which makes no move
                state.optimizers[player].state[weight].clear()
            torch._foreach_copy_(_weights_and_moments(state.optimizers[player]), state.spare[player])
        for buffer, before in self.buffers:
            buffer.copy_(before)
        for memory in state.game.memories().values():
            memory.undo()
        state.dropped += 1
        state.dropped_in_a_row += 1


def _weights_and_moments(optimizer: torch.optim.Optimizer) -> list[Tensor]:
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
