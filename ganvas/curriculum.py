"""The lessons: each a question, the ways in which one game is played to answer it, and what is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganvas.errors import unknown


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to play: a recipe and what is changed in it, by dotted path."""

    label: str
    recipe: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What is drawn over the images shown: a note of the log, or the start of a held-out measure's name."""

    note: str
    title: str
    log: bool = False


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A comparison that teaches one thing."""

    name: str
    question: str
    teaches: str
    variants: tuple[Variant, ...]
    images: int  # shown to each variant
    minutes: float  # on the 2-core reference machine, all variants together
    settings: Mapping[str, str] = field(default_factory=dict)  # of all variants
    metrics: tuple[str, ...] = ()  # of `ganvas eval`
    samples: int = 1_000  # of each side
    notes: tuple[str, ...] = ()  # of the log: their mean over the last third of the run
    names_classes: bool = False  # whether the variants are measured as classifiers
    curve: Curve | None = None
    looks: int = 0  # held-out measurements during each run


def _saturating() -> Lesson:
    game, as_written, turned = "gan-mnist", {"config.rules.objective": "minimax"}, {"config.rules.objective": "nonsaturating"}
    still = {"train.rates.G": "0"}  # Source: arXiv:1701.04862 fig. 2 and 3
    return Lesson(
        name="saturating",
        question="Why is the artist not paid with log(1 - D(G(z))), as the game is written?",
        teaches="The surer the critic, the flatter log(1 - D): the artist is told least where it is worst. -log D has the same "
        "fixed point, and is steepest there.",
        variants=(
            Variant(label="log(1 - D)", recipe=game, settings=as_written),
            Variant(label="-log D", recipe=game, settings=turned),
            Variant(label="log(1 - D), artist held still", recipe=game, settings={**as_written, **still}),
            Variant(label="-log D, artist held still", recipe=game, settings={**turned, **still}),
        ),
        images=60_000,
        minutes=1,
        settings={"train.balance": "fixed", "config.width": "256", "train.learning_rate": "1e-3"},
        metrics=("fd",),
        notes=("gradient_generator", "skill"),
        curve=Curve(note="gradient_generator", title="norm of the artist's gradient", log=True),
    )


def _critic_too_strong() -> Lesson:
    strong = {"train.rates.D": "10"}
    return Lesson(
        name="critic-too-strong",
        question="Does a better critic teach the artist more?",
        teaches="Feedback from a far better critic teaches nothing: the players have to be at a similar level of skill.",
        variants=(
            Variant(label="level", recipe="cgan-mnist", settings={"train.balance": "fixed"}),
            Variant(label="critic x 10", recipe="cgan-mnist", settings={"train.balance": "fixed", **strong}),
            Variant(
                label="critic x 10, it rests above 80 %", recipe="cgan-mnist", settings={"train.balance": "rest", **strong}
            ),
            Variant(label="critic x 10, balanced", recipe="cgan-mnist", settings={"train.balance": "auto", **strong}),
        ),
        images=40_000,
        minutes=2,
        settings={"config.width": "16", "config.critic_width": "16", "config.max_width": "64", "config.head": "128"},
        metrics=("fd", "requested", "recall"),
        notes=("skill",),
        curve=Curve(note="skill", title="skill of the critic: the share it tells apart"),
    )


def _mode_collapse() -> Lesson:
    bare = {"config.coins": "false", "config.frequencies": "0", "config.rules.r1_gamma": "0", "config.rules.r2_gamma": "0"}
    slopes = {**bare, "config.rules.r1_gamma": "0.5", "config.rules.r2_gamma": "0.5"}
    ways: Mapping[str, Mapping[str, str]] = {
        "log(1 - D)": {**bare, "config.rules.objective": "minimax"},
        "-log D": bare,
        "-log D, balanced": {**bare, "train.balance": "auto"},
        "relativistic": {**bare, "config.rules.objective": "relativistic"},
        "-log D + noise": {**bare, "config.rules.noise": "0.5"},
        "-log D + R1, R2": slopes,
        "... + waves": {**slopes, "config.frequencies": "6"},
        "... + noise in pieces": {**slopes, "config.frequencies": "6", "config.coins": "true"},
    }
    return Lesson(
        name="mode-collapse",
        question="Why does the artist draw a few things only, and what helps?",
        teaches="The critic asks of each sample whether it is real, never whether anything is missing. Judging in pairs, noise "
        "and gentle slopes bring all modes back; a map that may tear leaves no bridges between them.",
        variants=tuple(Variant(label=label, recipe="gan-ring", settings=settings) for label, settings in ways.items()),
        images=1_500_000,
        minutes=5,
        settings={"train.balance": "fixed", "train.batch": "256"},
        metrics=("modes",),
        samples=2_500,
        notes=("skill",),
        curve=Curve(note="fd", title="how far mean and covariance are off (fd of held-out points)", log=True),
        looks=20,
    )


def _vae_against_gan() -> Lesson:
    return Lesson(
        name="vae-against-gan",
        question="What does a critic teach an artist, and what does a bound on the likelihood?",
        teaches="The bound pays for every picture it explains: nothing is missing and all is blurred. The critic pays for what "
        "it takes for real: sharp, and nobody asks for what is missing.",
        variants=(
            Variant(label="VAE", recipe="vae-mnist"),
            Variant(label="GAN, the same artist", recipe="gan-mnist-decoder"),
        ),
        images=600_000,
        minutes=4,
        metrics=("fd", "recall", "sharpness"),
        samples=10_000,
    )


def _stylegan() -> Lesson:
    without: Mapping[str, Mapping[str, str]] = {
        "all": {},
        "no mapping network": {"config.mapping": "0"},
        "no style mixing": {"config.mixing": "0"},
        "no noise inputs": {"config.noise": "false"},
        "no learnt constant": {"config.constant": "false"},
        "no styles (AdaIN)": {"config.styled": "false"},
        "no batch deviation": {"config.deviation": "false"},
        "no equalised rate": {"config.equalised": "false"},
    }
    return Lesson(
        name="stylegan-ingredients",
        question="Which ingredient of StyleGAN does what?",
        teaches="Styles make the way from noise to pictures smooth and open to control; on small pictures an artist without "
        "them is nearer to the data. The mapping network lowers the distance; without the equalised rate the artist narrows.",
        variants=tuple(
            Variant(label=label, recipe="stylegan-fashion", settings=settings) for label, settings in without.items()
        ),
        images=32_000,
        minutes=8,
        settings={"config.resolution": "16", "config.width": "8", "config.max_width": "32", "data.fit": "crop"},
        metrics=("fd", "recall", "ppl"),
        notes=("skill",),
        curve=Curve(note="fd", title="distance from the data (fd of held-out pictures)", log=True),
        looks=5,
    )


def _growth() -> Lesson:
    return Lesson(
        name="progressive-growth",
        question="Why begin with a few pixels?",
        teaches="Growth saves time: the first images are small. At 32 pixels it saves nothing else, for full size is not hard "
        "there, and layers that come late have little time to learn. It was made for 1,024.",
        variants=(
            Variant(label="grown from 4x4", recipe="progan-mnist"),
            Variant(label="full size from the start", recipe="progan-mnist", settings={"config.grown_by": "0"}),
        ),
        images=60_000,
        minutes=7,
        settings={"config.max_width": "32"},
        metrics=("fd", "recall", "swd"),
        curve=Curve(note="fd", title="distance from the data (fd of held-out pictures)", log=True),
        looks=8,
    )


def _discriminative() -> Lesson:
    return Lesson(
        name="discriminative-generative",
        question="P(class | features) or P(features | class): who knows more about a digit?",
        teaches="The discriminative model learns the boundary and names digits best; it can draw none, and takes a shoe for a "
        "digit. The generative one draws, names by Bayes' rule, and knows what it has never seen.",
        variants=(
            Variant(label="P(class | features): classifier", recipe="classifier-mnist"),
            Variant(label="P(features | class): VAE", recipe="vae-mnist-conditional"),
            Variant(label="P(features | class): GAN", recipe="cgan-mnist"),
        ),
        images=20_000,
        minutes=2,
        names_classes=True,
    )


LESSONS: Mapping[str, Lesson] = {
    lesson.name: lesson
    for lesson in (
        _saturating(),
        _critic_too_strong(),
        _mode_collapse(),
        _vae_against_gan(),
        _stylegan(),
        _growth(),
        _discriminative(),
    )
}


def lesson_named(name: str) -> Lesson:
    """Raises: UsageError: no such lesson; names the nearest."""
    if name not in LESSONS:
        raise unknown("lesson", name, LESSONS)
    return LESSONS[name]
