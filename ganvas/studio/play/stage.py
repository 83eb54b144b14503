"""A play session: the real engine, one move at a time, with a way back.

Every step is a function of the seed and the step, so a session is its setup and the list of what was done: `history`, by which
a link restores it bit for bit. The ring holds states over the whole run, the recent ones closer together.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ganvas import engine
from ganvas.balance import Balance
from ganvas.errors import UsageError
from ganvas.game import Step, Terms, Turn
from ganvas.games.adversarial import verdict
from ganvas.games.gan import GAN, Config
from ganvas.machine import Plan
from ganvas.seeds import mix
from ganvas.studio.play.material import Material, material
from ganvas.studio.play.setup import LIVE, Setup, short

RING = 160  # states
RING_BYTES = 96 << 20
MOST_REPLAYED = 60_000  # steps that a link may ask for
MOST_EVENTS = 2_000
Event = list[Any]  # ["b", 500] both moved 500 times; ["d", 3]; ["g", 1]; ["set", "objective", "hinge"]


class Staged(GAN):
    """The GAN whose turns the page chooses: who moves in this step, and how often."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.moves: dict[str, int] = {"D": 1, "G": 1}

    def turns(self) -> tuple[Turn, ...]:
        """Those of the GAN, without the players who do not move."""
        return tuple(replace(t, repeat=self.moves[t.trains]) for t in super().turns() if self.moves[t.trains])


@dataclass(frozen=True, eq=False)
class Kept:
    """One state of the ring, and what led to it."""

    step: int
    setup: Setup
    history: list[Event]
    said: tuple[dict[str, float], dict[str, float]]  # losses and notes of its last step
    tensors: dict[str, dict[str, Tensor]]
    counters: dict[str, Any]


@dataclass
class Stage:
    """What is set up now, the state of the game, and what was done."""

    setup: Setup
    drawn: tuple[tuple[float, float], ...] = ()
    first: Setup = field(init=False)  # at step 0
    history: list[Event] = field(default_factory=list)
    ring: list[Kept] = field(default_factory=list)
    terms: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)  # what a person should be told

    def __post_init__(self) -> None:
        self.build()

    def build(self) -> None:
        """Fresh networks from the seed, at step 0."""
        torch.manual_seed(mix(self.setup.seed, "weights"))
        # With the critic's last bias, which a relativistic objective does not need, so that objectives can be changed live.
        rules = replace(self.setup.rules(), objective="nonsaturating")
        self.game = Staged(replace(self.setup.config(), rules=rules))
        self.first = self.setup
        self.state = engine.begin(self.game, self.setup.training(), Plan(threads=1))
        self.history, self.ring = [], []
        self.terms, self.notes = {}, {}
        self.apply()
        self.keep()

    @property
    def material(self) -> Material:
        """What is played on."""
        return material(self.setup.data, self.setup.seed, self.drawn)

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.state.step

    def apply(self) -> None:
        """Have the running game follow the setup: all that can change while it goes on."""
        setup = self.setup
        self.game.config = setup.config()
        self.state.average.config = setup.config()
        wanted = torch.optim.Adam if setup.optimiser == "adam" else torch.optim.SGD
        if not all(isinstance(optimizer, wanted) for optimizer in self.state.optimizers.values()):
            self.state.optimizers = {player: self.optimizer(player) for player in self.game.players}
        for optimizer in self.state.optimizers.values():
            (group,) = optimizer.param_groups
            if setup.optimiser == "adam":
                group["betas"] = (setup.momentum, 0.99)
            else:
                group["momentum"] = setup.momentum
        before = self.state.balance
        if setup.balance == "off":
            self.state.balance = None
        else:
            kept = before or Balance()
            self.state.balance = replace(kept, steering=setup.balance == "auto", resting=setup.balance == "rest")

    def optimizer(self, player: str) -> torch.optim.Optimizer:
        """A new optimiser of the kind that is set."""
        weights = self.game.trained_by(player)
        if self.setup.optimiser == "sgd":
            return torch.optim.SGD(weights, lr=1.0)
        return torch.optim.Adam(weights, lr=1.0, betas=(self.setup.momentum, 0.99), fused=True)

    def play(self, who: str = "b", count: int = 1) -> None:
        """`count` steps in which both move, or D or G alone."""
        if who not in ("b", "d", "g"):
            raise UsageError(f"who moves: expected b, d or g, got {who!r}")
        self.within_a_link(who, count)
        self.forget_what_came_later()
        for _ in range(count):
            self.advance(who)
        if self.history and self.history[-1][0] == who:
            self.history[-1] = [who, self.history[-1][1] + count]
        else:
            self.history.append([who, count])

    def within_a_link(self, kind: str, count: int = 0) -> None:
        """Raises: UsageError: after `count` more steps, or another event of this kind, no link could restore the session."""
        steps = sum(event[1] for event in self.history if event[0] != "set")
        if steps + count > MOST_REPLAYED:
            raise UsageError(f"A link restores at most {MOST_REPLAYED:,} steps, and the game is there: rewind, or reset.")
        goes_on = kind != "set" and self.history and self.history[-1][0] == kind
        if not goes_on and len(self.history) >= MOST_EVENTS:
            raise UsageError(f"A link restores at most {MOST_EVENTS:,} moves and changes, and they are done: rewind, or reset.")

    def advance(self, who: str) -> None:
        """One step of the engine."""
        setup = self.setup
        d, g = (setup.d_moves, setup.g_moves) if who == "b" else (int(who == "d"), int(who == "g"))
        self.game.moves = {"D": d, "G": g}
        if not d + g:
            raise UsageError("neither player moves: give D or G at least one move per step")
        training = setup.training(self.state.items)
        step, terms = next(iter(engine.train(self.state, self.material.source, training)))
        self.observe(step, terms)
        if not d:
            self.look()

    @torch.no_grad()
    def look(self) -> None:
        """The critic's verdict after a step in which it did not move, and so did not say it itself."""
        generator = torch.Generator().manual_seed(mix(self.setup.seed, "look"))
        z = torch.randn(self.setup.batch, self.setup.latent_dim, generator=generator)
        real, fake = self.game.judge(self.material.points[: self.setup.batch]), self.game.judge(self.game.sample(z))
        self.notes |= {name: float(value) for name, value in verdict(self.setup.rules().scoring, real, fake).items()}

    def observe(self, step: Step, terms: Terms) -> None:
        """Remember what the step showed."""
        self.terms |= {name: float(value) for name, value in terms.items()}
        self.notes |= {name: float(value) for name, value in step.notes.items() if value.numel() == 1}
        self.events += step.events

    def set(self, name: str, value: Any) -> None:
        """Change a setting while the game goes on.

        Raises:
            UsageError: no such setting, a value it cannot have, or one of the networks, data or seed.
        """
        changed = self.setup.changed(name, value)
        if name not in LIVE:
            raise UsageError(f"{name}: the game would have to begin anew")
        if changed == self.setup:
            return
        self.within_a_link("set")
        self.forget_what_came_later()
        self.setup = changed
        self.apply()
        if self.step == 0 and not self.history:
            self.first = changed
            self.ring = []
            self.keep()
        else:
            self.history.append(["set", name, value])

    def set_back(self, setup: Setup) -> None:
        """Change whatever differs from `setup`; the objective first, since it brings settings of its own."""
        for name in ("objective", *sorted(LIVE - {"objective"})):
            if getattr(self.setup, name) != getattr(setup, name):
                self.set(name, getattr(setup, name))

    def replayed(self, history: list[Event]) -> None:
        """Do all of `history`, from step 0. Raises: UsageError: it is no history, or too long."""
        for event in checked(history, self.setup):
            if event[0] == "set":
                self.set(event[1], event[2])
            else:
                self.play(event[0], event[1])
        self.keep()

    # The ring ------------------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Put the present state into the ring, once; where it is full, every second of the older half goes."""
        if self.ring and self.ring[-1].history == self.history:
            return
        tensors, counters = engine.dump(self.state)
        copied = {group: {name: value.clone() for name, value in named.items()} for group, named in tensors.items()}
        said = (dict(self.terms), dict(self.notes))
        self.ring.append(Kept(self.step, self.setup, copy.deepcopy(self.history), said, copied, copy.deepcopy(counters)))
        size = sum(t.numel() * 4 for named in copied.values() for t in named.values())
        if len(self.ring) > max(8, min(RING, RING_BYTES // max(1, size))):
            half = len(self.ring) // 2
            self.ring = self.ring[:half:2] + self.ring[half:]

    def forget_the_way(self) -> None:
        """Keep no state but the present one."""
        self.ring = []
        self.keep()

    def rewind(self, place: int) -> None:
        """Go to the state at `place` in the ring, from 0; later ones stay until the game goes on from here."""
        if not 0 <= place < len(self.ring):
            raise UsageError(f"the ring has states 0 to {len(self.ring) - 1}, not {place}")
        self.ring_state(self.ring[place])

    def ring_state(self, kept: Kept) -> None:
        """Restore, bit for bit."""
        self.setup = kept.setup
        self.history = copy.deepcopy(kept.history)
        self.apply()
        engine.restore(self.state, kept.tensors, copy.deepcopy(kept.counters))
        self.terms, self.notes = dict(kept.said[0]), dict(kept.said[1])

    @property
    def place(self) -> int:
        """Where in the ring the session is: the last state that is not later than now."""
        places = [i for i, kept in enumerate(self.ring) if kept.step <= self.step and kept.history == self.history]
        return places[-1] if places else len(self.ring) - 1

    def forget_what_came_later(self) -> None:
        """The game goes on from a state that is not the ring's last: what followed it is another story."""
        if any(kept.history == self.history for kept in self.ring[:-1]):
            self.ring = self.ring[: self.place + 1]

    def told(self) -> list[str]:
        """What a person should be told since the last time."""
        events, self.events = self.events, []
        return events

    def facts(self) -> dict[str, Any]:
        """The setup at step 0 and all that was done: the session, spelt."""
        return {"first": short(self.first), "history": self.history}


def checked(history: object, setup: Setup) -> list[Event]:
    """A history as a link spells it, which begins at `setup`.

    Raises:
        UsageError: it is none, is too long, or sets what cannot be set.
    """
    if not isinstance(history, list) or len(history) > MOST_EVENTS:
        raise UsageError(f"history: expected a list of at most {MOST_EVENTS:,} moves and changes")
    steps = 0
    for event in history:
        kind = event[0] if isinstance(event, list) and event else None
        if kind in ("b", "d", "g") and len(event) == 2 and type(event[1]) is int and event[1] > 0:
            steps += event[1]
        elif kind == "set" and len(event) == 3 and isinstance(event[1], str) and event[1] in LIVE:
            try:
                setup = setup.changed(event[1], event[2])
            except UsageError as wrong:
                raise UsageError(f"history: {event[1]}:{event[2]} cannot be done again: {wrong}") from None
        else:
            raise UsageError(f"history: {event!r} is nothing that can be done again")
    if steps > MOST_REPLAYED:
        raise UsageError(f"history: {steps:,} steps are more than the {MOST_REPLAYED:,} that a link may ask for")
    return history
