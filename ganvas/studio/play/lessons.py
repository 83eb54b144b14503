"""The guided tour and the lessons in breaking it: settings, words, and the cure. The page only shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganvas.studio.play.setup import Setup, usual


@dataclass(frozen=True)
class Scene:
    """One step of a lesson: words, and what is done when it begins: events as in a session's history."""

    title: str
    text: str
    do: tuple[tuple[Any, ...], ...] = ()
    play: bool = False  # whether the game goes on by itself from here


@dataclass(frozen=True)
class Lesson:
    """A setup, its scenes, and the cure of what goes wrong: settings to change, one click away."""

    name: str
    title: str
    about: str
    setup: Setup
    scenes: tuple[Scene, ...]
    cure: Mapping[str, Any] = field(default_factory=dict)
    cure_title: str = ""
    cure_text: str = ""
    anew: bool = False  # whether the cured game begins at step 0: what has collapsed, or run away, for good is beyond a cure

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)


TOUR = Lesson(
    name="tour",
    title="The game, in five scenes",
    about="Critic first, the artist answers, equilibrium at one half.",
    setup=dataclasses.replace(usual("normal1d"), noise="uniform", d_rate=3e-3, g_rate=2e-3, momentum=0.0, d_noise=0.5),
    scenes=(
        Scene(
            "Noise on a line",
            "At the top lies the data: a bell curve, in green. At the bottom lies noise z, spread evenly. The lines "
            "show where the "
            "artist G sends each z; where lines crowd, fakes are frequent: the violet curve. Nobody has learnt anything yet.",
        ),
        Scene(
            "The critic moves first",
            "G holds still. The critic D is shown reals and fakes and learns to say 1 to reals and 0 to fakes. Its "
            "curve nears the "
            "best one there is, D*(x) = p_data / (p_data + p_G), which is dotted; some noise on all it sees "
            "rounds it and gives it a slope. A critic that knows nothing teaches "
            "nothing.",
            do=(("d", 200),),
        ),
        Scene(
            "The artist answers",
            "Now D holds still. Each fake follows the critic's slope uphill, as its arrow shows, and the artist's lines "
            "bend after it: "
            "the violet curve moves to where D found things real.",
            do=(("g", 6),),
        ),
        Scene(
            "In turns",
            "They take turns, D first: it finds the difference that is left, G removes it. Watch the loss of D rise to 2 ln 2.",
            play=True,
        ),
        Scene(
            "Equilibrium at one half",
            "When the violet curve lies on the green one, the best critic can only guess: D(x) = 1/2 wherever there is "
            "data, and its loss "
            "is 2 ln 2 = 1.386. In practice the two keep circling close by; the game does not stop, it balances.",
            play=True,
        ),
    ),
)

BREAK = (
    Lesson(
        name="collapse",
        title="Mode collapse",
        about="The artist answers with one mode, again and again.",
        setup=dataclasses.replace(
            usual("ring"), r1=0.0, r2=0.0, g_moves=5, g_rate=1e-3, d_rate=1e-3, momentum=0.5, end=1.0, seed=1
        ),
        scenes=(
            Scene(
                "All eggs in one basket",
                "G moves five times for each move of D. It finds the one place that this critic likes best and sends "
                "all noise there; D "
                "learns that the place is fake, and the whole crowd jumps on. `Modes covered` stays low while no loss "
                "says so.",
                play=True,
            ),
        ),
        cure={
            "g_moves": 1,
            "g_rate": 2e-3,
            "d_rate": 2e-3,
            "end": 0.02,
            "objective": "relativistic",
            "r1": 0.5,
            "r2": 0.5,
            "momentum": 0.0,
        },
        anew=True,
        cure_title="Compare each fake with a real, and smooth D",
        cure_text=(
            "A relativistic loss judges each fake against a real, so that a crowd in one place loses; R1 and R2 keep "
            "the critic's slope short. From the start with these, it reaches mode after mode."
        ),
    ),
    Lesson(
        name="vanishing",
        title="Vanishing gradient",
        about="A sure critic under the minimax loss says nothing useful.",
        setup=dataclasses.replace(usual("gaussians"), objective="minimax", d_rate=2e-3, g_rate=5e-4, seed=2),
        scenes=(
            Scene(
                "A critic far ahead",
                "D has moved 400 times, G not once. D is sure: all fakes are deep in violet. Under the minimax loss, "
                "log(1 - D(G(z))), the slope is then nearly nought: the arrows have all but vanished, and plain gradient "
                "descent would stand still. (Adam, which rescales slopes, hides this for a while.)",
                do=(("d", 400),),
            ),
        ),
        cure={"objective": "nonsaturating"},
        cure_title="Turn the artist's loss round",
        cure_text="-log D(G(z)) has the same fixed point, but is steepest where D is sure. The arrows grow back at once.",
    ),
    Lesson(
        name="oscillation",
        title="Oscillation",
        about="The two chase each other in a circle and never meet.",
        setup=dataclasses.replace(
            usual("normal1d"),
            objective="wasserstein",
            clip=0.3,
            momentum=0.9,
            d_rate=3e-3,
            g_rate=3e-3,
            width=32,
            critic_width=32,
            depth=1,
            critic_depth=1,
            seed=3,
        ),
        scenes=(
            Scene(
                "Round and round",
                "A score instead of a probability, and momentum: nothing slows the players down. The fakes run over the "
                "data and out on the other side, D turns "
                "after them, and so "
                "back: the losses swing, and the curves pass through each other.",
                play=True,
            ),
        ),
        cure={"r1": 1.0, "momentum": 0.0},
        cure_title="Damp the critic with R1",
        cure_text=(
            "Without momentum, and with R1, there is friction: it penalises the slope of D at the data, so that it "
            "flattens as the fakes arrive: the spiral turns inwards."
        ),
    ),
    Lesson(
        name="runaway",
        title="Runaway critic",
        about="A Wasserstein critic without a leash.",
        setup=dataclasses.replace(
            usual("gaussians"), objective="wasserstein", clip=0.0, d_moves=5, d_rate=2e-3, g_rate=5e-4, seed=4
        ),
        scenes=(
            Scene(
                "No bound on the score",
                "The Wasserstein loss rewards D for every bit of distance between its scores. It holds for critics of "
                "slope 1 only. Without "
                "that condition the scores run away: the loss of D falls without end and measures nothing.",
                play=True,
            ),
        ),
        cure={"objective": "wasserstein-gp", "penalty": 10.0},
        anew=True,
        cure_title="Hold the slope at 1",
        cure_text=(
            "The gradient penalty asks for slope 1 between reals and fakes. From the start with it, the losses stay within a "
            "few units: now D's is a distance."
        ),
    ),
)

LESSONS: Mapping[str, Lesson] = {lesson.name: lesson for lesson in (TOUR, *BREAK)}

# Slow motion: what happens within a step, in order; `focus` names what is lit meanwhile.
CAPTIONS: tuple[tuple[str, str, str], ...] = (
    ("D", "fakes", "G turns noise into fakes."),
    ("D", "surface", "D looks at reals and fakes, and says how real it finds each."),
    ("D", "losses", "The loss of D counts where it was wrong."),
    ("D", "surface", "The slope of the loss says how D should change."),
    ("D", "surface", "D moves: one step of its optimiser. G holds still."),
    ("G", "fakes", "G turns fresh noise into fakes."),
    ("G", "surface", "D looks at the fakes only."),
    ("G", "losses", "The loss of G counts the fakes that D found out."),
    ("G", "arrows", "Each fake feels the critic's slope: its arrow points where D finds things more real."),
    ("G", "fakes", "G moves, and its fakes with it. D holds still."),
)
MOVES = {4: "d", 9: "g"}  # the captions at which a player moves
