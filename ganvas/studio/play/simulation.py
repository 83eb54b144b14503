"""The game of a play session: the real engine, one step at a time, with a way back.

Every step is a function of the seed and the step number. So a session is its settings and its history, from which a link
restores it bit for bit.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ganvas.core.game import Step, Terms, Turn
from ganvas.engine import loop, state
from ganvas.engine.balance import Balance
from ganvas.errors import UsageError
from ganvas.games.common.duel import discriminator_shares
from ganvas.games.gan import GAN, Config
from ganvas.runtime.plan import Plan
from ganvas.studio.play.history import Event, check_history, require_room
from ganvas.studio.play.play_points import Places, PointData, load_points
from ganvas.studio.play.play_presets import shorten
from ganvas.studio.play.play_settings import LIVE, PlaySettings
from ganvas.studio.play.rewind import SavedState, StateRing
from ganvas.utils.seeds import mix


class SteppedGAN(GAN):
    """The GAN, with the number of moves of each player in a step chosen by the page."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.moves: dict[str, int] = {"D": 1, "G": 1}

    def turns(self) -> tuple[Turn, ...]:
        """The turns of the GAN, without those of a player who does not move."""
        return tuple(replace(t, repeat=self.moves[t.trains]) for t in super().turns() if self.moves[t.trains])


@dataclass
class Simulation:
    """The settings now, the state of the game, and its history. `places` are a person's own points."""

    setup: PlaySettings
    places: Places = ()
    first: PlaySettings = field(init=False)  # at step 0
    history: list[Event] = field(default_factory=list)
    ring: StateRing = field(default_factory=StateRing)
    terms: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)  # messages for a person

    def __post_init__(self) -> None:
        self.build()

    def build(self) -> None:
        """Make fresh networks from the seed, at step 0."""
        torch.manual_seed(mix(self.setup.seed, "weights"))
        # A relativistic objective needs no last bias of D. D gets one all the same, so that objectives can change later.
        rules = replace(self.setup.make_rules(), objective="nonsaturating")
        self.game = SteppedGAN(replace(self.setup.make_config(), rules=rules))
        self.first = self.setup
        self.state = state.new_state(self.game, self.setup.make_training(), Plan(threads=1))
        self.history, self.ring = [], StateRing()
        self.terms, self.notes = {}, {}
        self.apply_setup()
        self.save_state()

    @property
    def data(self) -> PointData:
        """The points of the game."""
        return load_points(self.setup.data, self.setup.seed, self.places)

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.state.step

    @property
    def place(self) -> int:
        """The place in the ring of the present state."""
        return self.ring.find_place(self.step, self.history)

    def apply_setup(self) -> None:
        """Make the running game follow the settings that can change while it goes on."""
        setup = self.setup
        self.game.config = setup.make_config()
        self.state.average.config = setup.make_config()
        kind = torch.optim.Adam if setup.optimiser == "adam" else torch.optim.SGD
        if not all(isinstance(optimizer, kind) for optimizer in self.state.optimizers.values()):
            self.state.optimizers = {player: self.make_optimizer(player) for player in self.game.players}
        for optimizer in self.state.optimizers.values():
            (group,) = optimizer.param_groups
            if setup.optimiser == "adam":
                group["betas"] = (setup.momentum, 0.99)
            else:
                group["momentum"] = setup.momentum
        if setup.balance == "off":
            self.state.balances = {}
        else:
            balance = self.state.balances.get("", Balance())
            self.state.balances = {"": replace(balance, steering=setup.balance == "auto", resting=setup.balance == "rest")}

    def make_optimizer(self, player: str) -> torch.optim.Optimizer:
        """A new optimizer of the kind that is set. The engine scales its rate of 1 at each step."""
        weights = self.game.player_parameters(player)
        if self.setup.optimiser == "sgd":
            return torch.optim.SGD(weights, lr=1.0)
        return torch.optim.Adam(weights, lr=1.0, betas=(self.setup.momentum, 0.99), fused=True)

    def play(self, who: str = "b", count: int = 1) -> None:
        """Take `count` steps in which both players move ("b"), or D or G alone ("d", "g").

        Raises:
            UsageError: another letter, no player moves, or a link could not restore the session.
        """
        if who not in ("b", "d", "g"):
            raise UsageError(f"who moves: expected b, d or g, got {who!r}")
        require_room(self.history, who, count)
        self.drop_later_states()
        for _ in range(count):
            self.take_step(who)
        if self.history and self.history[-1][0] == who:
            self.history[-1] = [who, self.history[-1][1] + count]
        else:
            self.history.append([who, count])

    def take_step(self, who: str) -> None:
        """One step of the engine."""
        setup = self.setup
        d, g = (setup.d_moves, setup.g_moves) if who == "b" else (int(who == "d"), int(who == "g"))
        self.game.moves = {"D": d, "G": g}
        if not d + g:
            raise UsageError("neither player moves: give D or G at least one move per step")
        training = setup.make_training(self.state.items)
        step, terms = next(iter(loop.train(self.state, self.data.source, training)))
        self.record_step(step, terms)
        if not d:
            self.ask_discriminator()

    @torch.no_grad()
    def ask_discriminator(self) -> None:
        """Note how D judges reals and fakes. The engine notes this only in a step in which D moves."""
        generator = torch.Generator().manual_seed(mix(self.setup.seed, "look"))
        z = torch.randn(self.setup.batch, self.setup.latent_dim, generator=generator)
        real, fake = self.game.judge(self.data.points[: self.setup.batch]), self.game.judge(self.game.sample(z))
        judgement = discriminator_shares(self.setup.make_rules().scoring, real, fake)
        self.notes |= {name: float(value) for name, value in judgement.items()}

    def record_step(self, step: Step, terms: Terms) -> None:
        """Keep the losses, notes and events of a step."""
        self.terms |= {name: float(value) for name, value in terms.items()}
        self.notes |= {name: float(value) for name, value in step.notes.items() if value.numel() == 1}
        self.events += step.events

    def change(self, name: str, value: Any) -> None:
        """Change a setting while the game goes on.

        Raises:
            UsageError: no such setting, a value it cannot have, or a setting of the networks, the data or the seed.
        """
        changed = self.setup.with_change(name, value)
        if name not in LIVE:
            raise UsageError(f"{name}: this change needs a new game")
        if changed == self.setup:
            return
        require_room(self.history, "set")
        self.drop_later_states()
        self.setup = changed
        self.apply_setup()
        if self.step == 0 and not self.history:
            self.first = changed
            self.ring = StateRing()
            self.save_state()
        else:
            self.history.append(["set", name, value])

    def change_back(self, setup: PlaySettings) -> None:
        """Change whatever differs from `setup`; the objective first, since it brings other settings with it."""
        for name in ("objective", *sorted(LIVE - {"objective"})):
            if getattr(self.setup, name) != getattr(setup, name):
                self.change(name, getattr(setup, name))

    def replay(self, history: list[Event]) -> None:
        """Do all of `history`, from step 0. Raises: UsageError: it is not a history, or too long."""
        for event in check_history(history, self.setup):
            if event[0] == "set":
                self.change(event[1], event[2])
            else:
                self.play(event[0], event[1])
        self.save_state()

    # The way back ------------------------------------------------------------------------------------------------------

    def save_state(self) -> None:
        """Put the present state into the ring, once."""
        if self.ring.states and self.ring.states[-1].history == self.history:
            return
        tensors, counters = state.dump(self.state)
        copies = {group: {name: value.clone() for name, value in members.items()} for group, members in tensors.items()}
        history, terms, notes = copy.deepcopy(self.history), dict(self.terms), dict(self.notes)
        self.ring.add(SavedState(self.step, self.setup, history, terms, notes, copies, copy.deepcopy(counters)))

    def drop_states(self) -> None:
        """Keep the present state only."""
        self.ring = StateRing()
        self.save_state()

    def drop_later_states(self) -> None:
        """Drop the states after the present one: the game goes on from here in another way."""
        self.ring.drop_later(self.step, self.history)

    def rewind(self, place: int) -> None:
        """Restore the state at `place` in the ring, from 0, bit for bit. Later ones stay until the game goes on from here.

        Raises:
            UsageError: there is no such place.
        """
        if not 0 <= place < len(self.ring.states):
            raise UsageError(f"expected a state from 0 to {len(self.ring.states) - 1}, got {place}")
        saved = self.ring.states[place]
        self.setup = saved.setup
        self.history = copy.deepcopy(saved.history)
        self.apply_setup()
        state.restore(self.state, saved.tensors, copy.deepcopy(saved.counters))
        self.terms, self.notes = dict(saved.terms), dict(saved.notes)

    def take_events(self) -> list[str]:
        """The messages since the last call."""
        events, self.events = self.events, []
        return events

    def to_link(self) -> dict[str, Any]:
        """The settings at step 0 and the history: all of a session that a link needs, but its own points."""
        return {"first": shorten(self.first), "history": self.history}
