"""All settings of a play session, as one frozen group. Their labels and bounds are served to the page as a schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ganvas.config import Adam, Ramp, TrainConfig
from ganvas.errors import unknown_name
from ganvas.games.common.rules import OBJECTIVE_RULES, Rules, with_objective
from ganvas.games.gan import Config
from ganvas.studio.play.play_explanations import SETTINGS
from ganvas.utils.settings import from_dict, read_value, require_within

# Title of a group -> name of the data -> label. The page shows them in this order.
DATA: Mapping[str, Mapping[str, str]] = {
    "On a line": {"normal1d": "One bell curve", "mixture1d": "Two bell curves"},
    "In the plane": {
        "line": "A line",
        "gaussians": "Two Gaussians",
        "ring": "A ring of eight",
        "grid": "A grid of 25",
        "moons": "Two moons",
        "spiral": "A spiral",
    },
    "Your own": {"brush": "Draw it…", "csv": "A CSV file…"},
}
CUSTOM_DATA = tuple(DATA["Your own"])  # the points come with the session
BUILT_IN = tuple(name for group in DATA.values() for name in group if name not in CUSTOM_DATA)
MAX_POINTS = 2_000

OBJECTIVES = {
    "minimax": "Minimax (the lectures')",
    "nonsaturating": "Non-saturating",
    "leastsquares": "Least squares",
    "wasserstein": "Wasserstein, clipped",
    "wasserstein-gp": "Wasserstein, gradient penalty",
    "hinge": "Hinge",
    "relativistic": "Relativistic",
}
BALANCES = {"auto": "Automatic", "fixed": "Fixed, only observed", "rest": "D rests above 80 %", "off": "Off"}
COMPANIONS = {"nothing": "Nothing", "vae": "A VAE", "classifier": "A classifier", "both": "Both"}

# Title of a group of controls -> whether it is open at first. A control of a group without a title stands alone.
GROUPS = {
    "": True,
    "The loss": True,
    "Penalties and noise": False,
    "Optimiser": False,
    "Networks (a change starts a new game)": False,
}
LOSS, PENALTIES, OPTIMISER, NETWORKS = tuple(GROUPS)[1:]


# The settings of the networks, which have the same names in the game's own config.
NETWORK_FIELDS = (
    "noise",
    "latent_dim",
    "width",
    "depth",
    "critic_width",
    "critic_depth",
    "coins",
    "frequencies",
    "span",
    "sharpen",
)


def setting(
    default: Any,
    label: str = "",
    group: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    below: float | None = None,
    choices: Mapping[str, str] | None = None,
    slider: bool = False,
    live: bool = True,
) -> Any:
    """A field with what the page must know of it.

    Its label ("" keeps it off the page), group and bounds (`low` <= value <= `high`, or < `below`), the labels of its choices,
    whether it is a slider, and whether it can change while the game goes on (`live`).
    """
    facts = {"label": label, "group": group, "low": low, "high": high, "below": below, "choices": choices, "slider": slider}
    return dataclasses.field(default=default, metadata={**facts, "live": live})


@dataclass(frozen=True, kw_only=True)
class PlaySettings:
    """The defaults are those of the recipe gan-gaussians, with narrower networks and a constant learning rate."""

    data: str = setting("gaussians", live=False)
    seed: int = setting(0, "Seed", low=0, high=2**53 - 1, live=False)
    objective: str = setting("nonsaturating", "Loss", LOSS, choices=OBJECTIVES)
    d_moves: int = setting(1, "D moves per step", LOSS, low=0, high=10, slider=True)
    g_moves: int = setting(1, "G moves per step", LOSS, low=0, high=10, slider=True)
    d_rate: float = setting(1e-3, "D learning rate", LOSS, low=0, high=10)
    g_rate: float = setting(1e-3, "G learning rate", LOSS, low=0, high=10)
    balance: Literal["auto", "fixed", "rest", "off"] = setting("fixed", "Balance", LOSS, choices=BALANCES)
    r1: float = setting(0.0, "R1", PENALTIES, low=0, high=100)
    r2: float = setting(0.0, "R2", PENALTIES, low=0, high=100)
    penalty: float = setting(0.0, "Gradient penalty", PENALTIES, low=0, high=100)  # on the slope between reals and fakes
    clip: float = setting(0.0, "Clip D's weights at", PENALTIES, low=0, high=100)
    d_noise: float = setting(0.0, "Noise on D's input", PENALTIES, low=0, high=5)  # its sd at the start of the run
    optimiser: Literal["adam", "sgd"] = setting(
        "adam", "Optimiser", OPTIMISER, choices={"adam": "Adam", "sgd": "Gradient descent"}
    )
    momentum: float = setting(0.5, "Momentum", OPTIMISER, low=0, below=1)
    batch: int = setting(256, "Batch", OPTIMISER, low=8, high=1024)
    length: int = setting(8_000, "Steps of the run", OPTIMISER, low=1, high=1_000_000)  # rates fall to `end`, noise fades
    end: float = setting(1.0, "Rate at its end", OPTIMISER, low=0, high=1)
    noise: Literal["normal", "uniform"] = setting(
        "normal", "Noise", NETWORKS, choices={"normal": "Normal", "uniform": "Uniform"}, live=False
    )
    latent_dim: int = setting(2, "Noise dimensions", NETWORKS, low=1, high=16, slider=True, live=False)
    width: int = setting(64, "G width", NETWORKS, low=1, high=256, live=False)
    depth: int = setting(3, "G depth", NETWORKS, low=1, high=6, slider=True, live=False)
    critic_width: int = setting(64, "D width", NETWORKS, low=1, high=256, live=False)
    critic_depth: int = setting(3, "D depth", NETWORKS, low=1, high=6, slider=True, live=False)
    coins: bool = setting(False, "Noise in pieces for G", NETWORKS, live=False)
    frequencies: int = setting(0, "Frequencies of D's input", NETWORKS, low=0, high=8, slider=True, live=False)
    span: float = setting(1.0, low=0.1, high=20, live=False)
    sharpen: float = setting(0.0, low=0, high=1, live=False)
    beside: Literal["nothing", "vae", "classifier", "both"] = setting("nothing", "Beside the GAN", choices=COMPANIONS)

    def __post_init__(self) -> None:
        if self.data not in (*BUILT_IN, *CUSTOM_DATA):
            raise unknown_name("data", self.data, (*BUILT_IN, *CUSTOM_DATA))
        if self.objective not in OBJECTIVE_RULES:
            raise unknown_name("objective", self.objective, OBJECTIVE_RULES)
        for field in dataclasses.fields(self):
            low, high, below = (field.metadata[bound] for bound in ("low", "high", "below"))
            if below is not None:
                require_within(self, field.name, low, below=below)
            elif low is not None:
                require_within(self, field.name, low, high)

    @property
    def dims(self) -> int:
        """1 on a line, 2 in the plane."""
        return 1 if self.data.endswith("1d") else 2

    def make_rules(self) -> Rules:
        """Objective and penalties as the games take them."""
        return Rules(
            objective=str(OBJECTIVE_RULES[self.objective]["objective"]),
            r1_gamma=self.r1,
            r2_gamma=self.r2,
            gradient_penalty=self.penalty,
            clip=self.clip,
            noise=self.d_noise,
            penalty_every=4 if (self.r1 or self.r2) and not self.penalty else 1,
        )

    def make_config(self) -> Config:
        """The game's own settings."""
        networks = {name: getattr(self, name) for name in NETWORK_FIELDS}
        return Config(shape=(self.dims,), rules=self.make_rules(), **networks)

    def make_training(self, items: int = 0) -> TrainConfig:
        """How it is trained. The run never ends: after its length it goes on at the last rates."""
        moves = max(1, self.d_moves + self.g_moves - 1)  # the first move of each player uses the same batch
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

    def with_change(self, name: str, value: Any) -> PlaySettings:
        """A copy with one setting changed. An objective brings its usual clipping, penalties and moves of D.

        Raises:
            UsageError: there is no such setting, or it cannot have this value.
        """
        if name == "objective" and isinstance(value, str):
            rules = with_objective(dataclasses.replace(self.make_rules(), n_critic=1), value)
            changed = dataclasses.replace(self, objective=value, d_moves=rules.n_critic, clip=rules.clip)
            return dataclasses.replace(changed, penalty=rules.gradient_penalty, r1=rules.r1_gamma, r2=rules.r2_gamma)
        return parse_settings({**dataclasses.asdict(self), name: value})


FIELDS = {field.name: field for field in dataclasses.fields(PlaySettings)}
LIVE = frozenset(name for name, field in FIELDS.items() if field.metadata["live"])


def describe_settings() -> dict[str, Any]:
    """The schema of the form: the data, and the controls in their groups, each with its label and bounds."""
    groups = []
    for title, opened in GROUPS.items():
        controls = [describe_control(name) for name in FIELDS if FIELDS[name].metadata["group"] == title]
        groups.append({"title": title, "open": opened, "controls": [control for control in controls if control["label"]]})
    return {"data": DATA, "data_about": SETTINGS["data"], "groups": groups, "most_points": MAX_POINTS}


def describe_control(name: str) -> dict[str, Any]:
    """One control: `kind` is choice, check, range (a slider) or number; `whole`: only whole numbers."""
    field, facts = FIELDS[name], FIELDS[name].metadata
    kind = "choice" if facts["choices"] else "check" if field.type == "bool" else "range" if facts["slider"] else "number"
    high = facts["high"] if facts["below"] is None else facts["below"] - 0.001  # an HTML input has no open bound
    choices = list((facts["choices"] or {}).items())
    bounds = {"low": facts["low"], "high": high, "whole": field.type == "int"}
    return {
        "name": name,
        "label": facts["label"],
        "about": SETTINGS.get(name, ""),
        "kind": kind,
        "choices": choices,
        **bounds,
    }


def parse_settings(values: Mapping[str, Any]) -> PlaySettings:
    """Settings from what a page sent: numbers, words, or either as text.

    Raises:
        UsageError: an unknown setting, or a value that it cannot have.
    """
    return from_dict(
        PlaySettings, {name: parse_text(name, value) if name in FIELDS else value for name, value in values.items()}
    )


def parse_text(name: str, value: Any) -> Any:
    """A setting's value from a link, in which everything is text."""
    kind = {"str": str, "int": int, "float": float, "bool": bool}.get(str(FIELDS[name].type))
    return read_value(kind, value, name) if isinstance(value, str) and kind else value
