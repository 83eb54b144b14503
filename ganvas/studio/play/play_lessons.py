"""The guided tour, the lessons on what can go wrong, and the captions of slow motion. The page only shows them.

In these texts the generator is the artist and the discriminator the critic: the words of the tour.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.play_settings import PlaySettings


@dataclass(frozen=True)
class Part:
    """One part of a lesson: words, and the moves that are made when it begins, as events of a history."""

    title: str
    text: str
    do: tuple[tuple[Any, ...], ...] = ()
    play: bool = False  # whether the game plays by itself from here


@dataclass(frozen=True)
class PlayLesson:
    """Settings, parts, and the cure of what goes wrong: settings to change with one click."""

    name: str
    title: str
    about: str
    setup: PlaySettings
    parts: tuple[Part, ...]
    charts: tuple[str, ...] = ()  # that the words speak of: the page shows them first
    cure: Mapping[str, Any] = field(default_factory=dict)
    cure_title: str = ""
    cure_text: str = ""
    restart: bool = False  # whether the cure begins at step 0: networks that have collapsed do not recover

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)


TOUR = PlayLesson(
    name="tour",
    title="The game, in five parts",
    about="The critic moves first, the artist answers, and both reach equilibrium at one half.",
    setup=dataclasses.replace(
        choose_settings("normal1d"), noise="uniform", d_rate=3e-3, g_rate=2e-3, momentum=0.0, d_noise=0.5
    ),
    parts=(
        Part(
            "Noise on a line",
            "The green curve at the top is the data: a bell curve. At the bottom is the noise z, which is uniform. Each "
            "line shows where the artist (the generator G) sends one z. Where many lines end, fakes are frequent: this is "
            "the violet curve. No network has learned anything yet.",
        ),
        Part(
            "The critic moves first",
            "G does not move now. The critic (the discriminator D) gets reals and fakes, and learns to say 1 for reals and "
            "0 for fakes. Its curve moves towards the best possible one, D*(x) = p_data / (p_data + p_G), which is dotted. "
            "Some noise is added to everything D gets: it makes the curve smoother than the dotted one. G learns from the "
            "slope of this curve, so D learns first.",
            do=(("d", 200),),
        ),
        Part(
            "The artist answers",
            "Now D does not move. Each fake moves up the slope of D, as its arrow shows, and the lines of G follow. The "
            "violet curve moves to the places that D takes for real.",
            do=(("g", 6),),
        ),
        Part(
            "In turns",
            "Now they move in turns, D first. D finds what still differs, G removes it. The loss of D rises to 2 ln 2, and "
            "the means of D over data and over fakes meet at one half.",
            play=True,
        ),
        Part(
            "Equilibrium at one half",
            "When the violet curve is equal to the green one, even the best critic can only guess: D(x) = 1/2 wherever "
            "there is data, and its loss is 2 ln 2 = 1.386. The share of points above one half then means nothing: it "
            "jumps between 0 and 100 %, while D itself hardly changes. Training does not stop by itself.",
            play=True,
        ),
    ),
    charts=("mean", "loss"),
)

BREAK = (
    PlayLesson(
        name="collapse",
        title="Mode collapse",
        about="The artist makes only one mode, again and again.",
        setup=dataclasses.replace(
            choose_settings("ring"), r1=0.0, r2=0.0, g_moves=5, g_rate=1e-3, d_rate=1e-3, momentum=0.5, end=1.0, seed=3
        ),
        parts=(
            Part(
                "Only one mode",
                "G moves five times for each move of D. It finds the one place that D takes for real most, and sends all "
                "noise there. D learns that this place is fake, and all fakes move to the next one. “Modes covered” stays "
                "low, and no loss shows it.",
                play=True,
            ),
        ),
        charts=("modes", "loss"),
        cure={"g_moves": 1, "g_rate": 2e-3, "d_rate": 2e-3, "momentum": 0.0, "end": 0.02, "r1": 0.2, "r2": 0.2},
        restart=True,
        cure_title="One move each, and a smooth D",
        cure_text=(
            "Both move once in each step. R1 and R2 keep the slope of D small, so D changes slowly from place to place: where "
            "fakes crowd, its slope leads out of the crowd. The new game starts with these settings, and the fakes reach one "
            "mode after the other."
        ),
    ),
    PlayLesson(
        name="vanishing",
        title="Vanishing gradient",
        about="If the critic is sure, the minimax loss teaches the artist nothing.",
        setup=dataclasses.replace(choose_settings("gaussians"), objective="minimax", d_rate=2e-3, g_rate=5e-4, seed=2),
        parts=(
            Part(
                "A critic far ahead",
                "D has moved 400 times, G not once. D is sure: the fakes lie where it says 0 (deep violet). With the "
                "minimax loss, log(1 - D(G(z))), the gradient is then nearly zero: the arrows have almost disappeared, and "
                "plain gradient descent would not move. (Adam rescales gradients, so with Adam this is hidden for a while.)",
                do=(("d", 400),),
            ),
        ),
        charts=("mean", "loss"),
        cure={"objective": "nonsaturating"},
        cure_title="Give the artist the non-saturating loss",
        cure_text=(
            "-log D(G(z)) has the same optimum, but its gradient is largest where D is sure. The arrows grow back at once."
        ),
    ),
    PlayLesson(
        name="oscillation",
        title="Oscillation",
        about="Both players move in circles and never settle.",
        setup=dataclasses.replace(
            choose_settings("normal1d"),
            momentum=0.9,
            d_rate=3e-3,
            g_rate=3e-3,
            end=1.0,
            r1=0.0,
            r2=0.0,
            d_noise=0.0,
            width=32,
            critic_width=32,
            depth=1,
            critic_depth=1,
            seed=3,
        ),
        parts=(
            Part(
                "In circles",
                "Both players have a momentum of 0.9: each goes on in its old direction when the other has already turned. "
                "The fakes run through the data and out on the other side; D turns around; the fakes come back. It does not "
                "die out by itself.",
                play=True,
            ),
        ),
        charts=("mean", "kl"),
        cure={"r1": 1.0, "momentum": 0.0},
        cure_title="No momentum, and R1",
        cure_text=(
            "Without momentum both players follow the gradient of now. R1 is a penalty on the slope of D at the data: D "
            "becomes flat there, and the fakes come to rest on the data. The same game goes on, and KL falls."
        ),
    ),
    PlayLesson(
        name="runaway",
        title="Unbounded critic",
        about="A Wasserstein critic without a bound on its slope.",
        setup=dataclasses.replace(
            choose_settings("gaussians"), objective="wasserstein", clip=0.0, d_moves=5, d_rate=2e-3, g_rate=5e-4, seed=4
        ),
        parts=(
            Part(
                "No bound on the score",
                "The Wasserstein loss rewards D for the distance between its scores of reals and fakes. It is a distance "
                "only if the slope of D is at most 1. Without this condition the scores grow without end: the losses run "
                "away, up or down, and measure nothing.",
                play=True,
            ),
        ),
        charts=("loss", "kl"),
        cure={"objective": "wasserstein-gp", "penalty": 10.0},
        restart=True,
        cure_title="Keep the slope at 1",
        cure_text=(
            "The gradient penalty asks for slope 1 between reals and fakes. In the new game the losses stay within a few "
            "units: now the loss of D measures a distance."
        ),
    ),
)

LESSONS: Mapping[str, PlayLesson] = {lesson.name: lesson for lesson in (TOUR, *BREAK)}


@dataclass(frozen=True)
class Caption:
    """One stage of a step in slow motion."""

    player: str  # whose turn it is: D or G
    focus: str  # the layer of the picture that is bright meanwhile
    boxes: tuple[str, ...]  # those of the overview that are at work
    text: str
    moves: bool = False  # whether the player moves at this stage


CAPTIONS = (
    Caption("D", "fakes", ("noise", "G", "fakes"), "G turns noise into fakes."),
    Caption("D", "surface", ("fakes", "data", "D"), "D gets reals and fakes, and says how real each one is."),
    Caption("D", "losses", ("loss-D",), "The loss of D counts where it was wrong."),
    Caption("D", "surface", ("loss-D", "D"), "The gradient of the loss says how D should change."),
    Caption("D", "surface", ("D",), "D moves: one step of its optimiser. G does not move.", moves=True),
    Caption("G", "fakes", ("noise", "G", "fakes"), "G turns new noise into fakes."),
    Caption("G", "surface", ("fakes", "D"), "D gets the fakes only."),
    Caption("G", "losses", ("loss-G",), "The loss of G counts the fakes that D recognised."),
    Caption(
        "G", "arrows", ("loss-G", "D", "fakes"), "Each arrow shows where D finds things more real: the fake should go there."
    ),
    Caption("G", "fakes", ("G",), "G moves, and its fakes move with it. D does not move.", moves=True),
)
TURNS = {"D": "the critic's turn", "G": "the artist's turn"}


def list_captions() -> list[dict[str, Any]]:
    """The captions as JSON: text, the layer in focus, the boxes at work."""
    rows = []
    for i, caption in enumerate(CAPTIONS):
        text = f"{i + 1} of {len(CAPTIONS)} · {TURNS[caption.player]} · {caption.text}"
        rows.append({"text": text, "focus": caption.focus, "boxes": caption.boxes})
    return rows
