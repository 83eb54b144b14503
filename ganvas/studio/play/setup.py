"""Everything a play session is set to: one frozen group of settings, which the page's link spells."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ganvas.config import Adam, Ramp, TrainConfig, from_dict, read, within
from ganvas.errors import UsageError, unknown
from ganvas.games import recipe_named
from ganvas.games.adversarial import NAMED, Rules, with_objective
from ganvas.games.gan import Config

BUILT_IN = ("normal1d", "mixture1d", "line", "gaussians", "ring", "grid", "moons", "spiral")
DRAWN = ("brush", "csv")  # points that come with the setup
MOST_POINTS = 2_000
LENGTHS = {"grid": 10_000}  # steps of a run that someone watches; a recipe's own takes longer
PENALTIES = {"ring": 0.2}  # R1 and R2 of that shorter run: the recipe's own would hold the critic back for too long

# What can be changed while the game goes on: the networks stay as they are.
LIVE = {"objective", "r1", "r2", "penalty", "clip", "d_noise", "d_moves", "g_moves", "d_rate", "g_rate"} | {
    *("optimiser", "momentum", "balance", "batch", "length", "end", "beside")
}


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Defaults are those of the recipe gan-gaussians but for narrower networks and an even rate."""

    data: str = "gaussians"
    seed: int = 0
    noise: Literal["normal", "uniform"] = "normal"
    latent_dim: int = 2
    width: int = 64
    depth: int = 3
    critic_width: int = 64
    critic_depth: int = 3
    coins: bool = False
    frequencies: int = 0
    span: float = 1.0
    sharpen: float = 0.0
    objective: str = "nonsaturating"
    r1: float = 0.0
    r2: float = 0.0
    penalty: float = 0.0  # of the slope between reals and fakes
    clip: float = 0.0
    d_noise: float = 0.0  # sd of the noise on what D sees, at the start of the run
    d_moves: int = 1
    g_moves: int = 1
    d_rate: float = 1e-3
    g_rate: float = 1e-3
    optimiser: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.5
    balance: Literal["auto", "fixed", "rest", "off"] = "fixed"
    batch: int = 256
    length: int = 8_000  # steps over which rates fall to `end` and noise fades
    end: float = 1.0
    beside: Literal["nothing", "vae", "classifier", "both"] = "nothing"

    def __post_init__(self) -> None:
        if self.data not in (*BUILT_IN, *DRAWN):
            raise unknown("data", self.data, (*BUILT_IN, *DRAWN))
        if self.objective not in NAMED:
            raise unknown("objective", self.objective, NAMED)
        within(self, "seed", 0, 2**53)
        within(self, "latent_dim", 1, 16)
        within(self, "width critic_width", 1, 256)
        within(self, "depth critic_depth", 1, 6)
        within(self, "frequencies", 0, 8)
        within(self, "span", 0.1, 20)
        within(self, "sharpen end", 0, 1)
        within(self, "r1 r2 penalty clip", 0, 100)
        within(self, "d_noise", 0, 5)
        within(self, "d_moves g_moves", 0, 10)
        within(self, "d_rate g_rate", 0, 10)
        within(self, "momentum", 0, below=1)
        within(self, "batch", 8, 1024)
        within(self, "length", 1, 1_000_000)

    @property
    def dims(self) -> int:
        """1 on a line, 2 in the plane."""
        return 1 if self.data.endswith("1d") else 2

    def rules(self) -> Rules:
        """Objective and penalties as the games know them."""
        return Rules(
            objective=str(NAMED[self.objective]["objective"]),
            r1_gamma=self.r1,
            r2_gamma=self.r2,
            gradient_penalty=self.penalty,
            clip=self.clip,
            noise=self.d_noise,
            penalty_every=4 if (self.r1 or self.r2) and not self.penalty else 1,
        )

    def config(self) -> Config:
        """The game's own settings."""
        return Config(
            shape=(self.dims,),
            latent_dim=self.latent_dim,
            noise=self.noise,
            width=self.width,
            depth=self.depth,
            critic_width=self.critic_width,
            critic_depth=self.critic_depth,
            coins=self.coins,
            frequencies=self.frequencies,
            span=self.span,
            sharpen=self.sharpen,
            rules=self.rules(),
        )

    def training(self, items: int = 0) -> TrainConfig:
        """How it is optimised. The run is never over: after its length it goes on at the last rates."""
        moves = max(1, self.d_moves + self.g_moves - 1)  # the first of both share a batch
        most = max(self.g_rate, self.d_rate)
        return TrainConfig(
            images=max(self.length * self.batch * moves, items + 1),
            batch=self.batch,
            seed=self.seed,
            learning_rate=most,
            rates={"D": self.d_rate / most, "G": self.g_rate / most} if most else {},
            schedule=Ramp(end=self.end, shape="cosine"),
            adam=Adam(beta1=self.momentum, beta2=0.99),
            average_halflife=0,
            balance=self.balance,
        )

    def changed(self, name: str, value: Any) -> Setup:
        """A copy with one setting changed; an objective brings what it is known with: clipping, a penalty, moves of D.

        Raises:
            UsageError: no such setting, or a value it cannot have.
        """
        if name == "objective" and isinstance(value, str):
            named = with_objective(dataclasses.replace(self.rules(), n_critic=1), value)
            setup = dataclasses.replace(self, objective=value, d_moves=named.n_critic, clip=named.clip)
            return dataclasses.replace(setup, penalty=named.gradient_penalty, r1=named.r1_gamma, r2=named.r2_gamma)
        return setup_from({**dataclasses.asdict(self), name: value})


def setup_from(values: Mapping[str, Any]) -> Setup:
    """A setup from what a page sent: numbers, words, or both spelt as text.

    Raises:
        UsageError: an unknown setting, or a value it cannot have.
    """
    hints = {f.name: f for f in dataclasses.fields(Setup)}
    return from_dict(Setup, {name: spelt(name, value) if name in hints else value for name, value in values.items()})


def linked(values: Mapping[str, Any]) -> Setup:
    """The setup that a link spells: what differs from the usual settings of its data.

    Raises:
        UsageError: an unknown setting, or a value it cannot have.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"setup: expected a group of settings, got {values!r}")
    return setup_from({**dataclasses.asdict(usual(str(values.get("data", "gaussians")))), **values})


def short(setup: Setup) -> dict[str, Any]:
    """What `linked` needs to make the same setup."""
    common = dataclasses.asdict(usual(setup.data))
    return {name: value for name, value in dataclasses.asdict(setup).items() if name == "data" or value != common[name]}


def spelt(name: str, value: Any) -> Any:
    """A setting's value out of a link, where all is text."""
    kinds = {"str": str, "int": int, "float": float, "bool": bool}
    kind = kinds.get(str(next(f.type for f in dataclasses.fields(Setup) if f.name == name)))
    if not isinstance(value, str) or kind is None:
        return value
    return read(kind, value, name)


def usual(data: str) -> Setup:
    """The settings that suit `data`: those of the recipe gan-DATA, for narrower networks where that is enough.

    Raises:
        UsageError: no such data.
    """
    if data in DRAWN:
        return Setup(data=data, frequencies=4, span=2.0, r1=0.1, r2=0.1, momentum=0.0, latent_dim=2)
    if data not in BUILT_IN:
        raise unknown("data", data, (*BUILT_IN, *DRAWN))
    recipe = recipe_named(f"gan-{data}")
    config, train, rules = recipe.config, recipe.train, recipe.config.rules
    wide = 128 if config.frequencies or data == "spiral" else 64
    return Setup(
        data=data,
        latent_dim=config.latent_dim,
        width=wide,
        critic_width=wide,
        depth=config.depth,
        critic_depth=config.depth,
        coins=config.coins,
        frequencies=config.frequencies,
        span=config.span,
        sharpen=config.sharpen,
        r1=PENALTIES.get(data, rules.r1_gamma),
        r2=PENALTIES.get(data, rules.r2_gamma),
        d_noise=rules.noise,
        d_rate=train.learning_rate,
        g_rate=train.learning_rate,
        momentum=train.adam.beta1,
        batch=min(256, train.batch),
        length=min(train.images // train.batch, LENGTHS.get(data, 2_500)),
        end=train.schedule.end,
    )


def checked(points: object, setup: Setup) -> list[tuple[float, float]]:
    """The drawn points of a setup: pairs of numbers between -1 and 1.

    Raises:
        UsageError: too many, none where the setup needs them, or not such pairs.
    """
    if setup.data not in DRAWN:
        return []
    if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
        raise UsageError(f"points: expected 1 to {MOST_POINTS:,} pairs; draw something first")
    pairs: list[tuple[float, float]] = []
    for point in points:
        if not isinstance(point, (list, tuple)) or len(point) != 2 or not all(type(c) in (int, float) for c in point):
            raise UsageError("points: expected pairs of numbers")
        x, y = float(point[0]), float(point[1])
        if not (abs(x) <= 1.5 and abs(y) <= 1.5):
            raise UsageError("points: expected numbers between -1.5 and 1.5")
        pairs.append((x, y))
    return pairs
