"""The moves of one step: forward, backward, one update of the optimizer; and the way back if a number is not finite.

A move is one optimizer update of one player. `Moves` lives for one step, and its methods stand in the order of a step: `play`
and `gate` for a move, `observe_resting` instead of a move, `finish` at the end, `undo` if the step is dropped. The device is
read once a step, in `finish`.
"""

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
    """The moves of one step.

    A move with a number that is not finite is not made, nor is any later move of its step: no such number reaches a weight.
    An earlier move of the step was finite and stays. Copies that could take it back would cost a tenth of every step.
    Whether a move is finite is decided on the device (`broken`), so that the moves do not wait for an answer.
    """

    def __init__(self, step: Step, state: State, config: TrainConfig, ranks: Ranks) -> None:
        self.step, self.state, self.config, self.ranks = step, state, config, ranks
        # Forward passes change these (BatchNorm, growth, mean style), so they are copied before the first one.
        self.buffers = [(buffer, buffer.clone()) for buffer in changing_buffers(state.game)]
        self.report: Terms = {}  # the loss terms of all moves, averaged over ranks
        self.broken = torch.zeros((), device=step.device)  # 1 after the first loss or gradient that is not finite
        self.made: dict[str, int] = {}  # turn -> moves in this step

    def play(self, turn: Turn, batch: Batch) -> None:
        """Make one optimizer update of the player of `turn`; none if a number of this step was not finite."""
        step, state, optimizer = self.step, self.state, self.state.optimizers[turn.trains]

        # Count the move: lazy terms are due in every k-th move of their player.
        # A turn that begins late in a run (the game after a warm-up) starts at the number of the step.
        step.move = state.moves.get(turn.name, state.step) + self.made.get(turn.name, 0)
        self.made[turn.name] = self.made.get(turn.name, 0) + 1

        # Forward: the loss as named terms.
        with torch.autocast(step.device.type, torch.bfloat16, enabled=state.plan.autocast):
            terms = turn.loss(batch, step)
        # A lazy term is k times its mean share, in one move of k: the log gets the share.
        values = {name: term.detach() / step.lazy.get(name, 1) for name, term in terms.items()}

        # Backward: only the weights of this player get gradients, so nothing has to be frozen, and one forward pass of G
        # serves both players.
        weights: list[nn.Parameter] = optimizer.param_groups[0]["params"]
        optimizer.zero_grad()
        sum(terms.values(), torch.zeros((), device=step.device)).backward(inputs=weights)
        gradients = [weight.grad for weight in weights if weight.grad is not None]

        # Average over ranks: gradients, and in the same message all numbers that the ranks have to agree on.
        self.ranks.mean_([*gradients, *values.values(), *self.shared_notes()])
        self.report.update(values)
        step.notes[f"gradient_{turn.name}"] = norm = torch.stack(torch._foreach_norm(gradients)).norm()
        # Once broken, the step stays broken: G must not answer a D whose move was left out.
        self.broken = torch.maximum(self.broken, (~torch.isfinite(norm + sum(values.values()))).float())

        # Update: the learning rate is that of the recipe, times what schedule, roll-backs and balance make of it.
        rate = self.config.rate_of(turn.trains, step.progress)
        level = min((balance.rate for balance in state.balances.values() if balance.steers(turn)), default=1.0)
        optimizer.param_groups[0]["lr"] = rate * state.rate * level
        self.gate(optimizer)
        if turn.project:
            turn.project()

    def gate(self, optimizer: torch.optim.Optimizer) -> None:
        """Let the optimizer update the weights unless the step is broken, without reading `broken` from the device."""
        if optimizer.param_groups[0].get("fused"):
            # Fused optimizers look at `found_inf`, as they do for a GradScaler, and skip the update on the device.
            optimizer.found_inf = self.broken  # type: ignore[attr-defined]
            optimizer.step()
        elif not self.broken:  # other optimizers cannot skip: this reads the device
            optimizer.step()

    def observe_resting(self, turn: Turn, batch: Batch) -> None:
        """Have a player that rests classify the batch: the result decides whether it rests in the next step."""
        with torch.autocast(self.step.device.type, torch.bfloat16, enabled=self.state.plan.autocast):
            if turn.watch:
                turn.watch(batch, self.step)
        self.ranks.mean_(self.shared_notes())

    def shared_notes(self) -> list[Tensor]:
        """The notes that the balance reads. They decide what happens next, so they must be equal on all ranks."""
        keys = [balance.key(name) for balance in self.state.balances.values() for name in WATCHED]
        return [self.step.notes[key] for key in keys if key in self.step.notes]

    @torch.no_grad()
    def finish(self) -> Terms:
        """Read all numbers of the step at once, then complete the step or drop it. Returns the loss terms, on the CPU."""
        step, state = self.step, self.state
        report, step.notes, flags = read_together(self.report, step.notes, {"broken": self.broken})
        step.values = {name: float(value) for name, value in (report | step.notes).items() if value.numel() == 1}
        if float(flags["broken"]):
            self.undo()
            return report

        # Complete the step: count its moves, keep its fakes in the pools, update the EMA.
        state.dropped_in_a_row = 0
        for name, count in self.made.items():
            state.moves[name] = state.moves.get(name, state.step) + count
        for memory in state.game.memories().values():
            memory.keep()
        update_ema(state, self.config, state.items - step.items_seen)

        # Let each controller look at its discriminator; what it measures goes into the log as well.
        for balance in state.balances.values():
            balance.observe(step)
        step.notes |= {name: torch.tensor(value) for name, value in step.values.items() if name not in report | step.notes}
        return report

    def undo(self) -> None:
        """Drop the step: put back the buffers and pools that its forward passes changed, because they may not be finite."""
        state = self.state
        for buffer, before in self.buffers:
            buffer.copy_(before)
        for memory in state.game.memories().values():
            memory.undo()
        state.dropped += 1
        state.dropped_in_a_row += 1


def changing_buffers(game: Game) -> list[Tensor]:
    """The buffers that a step may change: all except those that a module lists as its `constants`."""
    return [
        buffer
        for module in game.modules()
        for name, buffer in module.named_buffers(recurse=False)
        if name not in getattr(module, "constants", ())
    ]
