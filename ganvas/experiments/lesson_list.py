"""The list of lessons, and those about games that generate from noise; `input_lessons.py` has those about games with inputs.

Their texts teach: beside generator and discriminator they use the words artist and critic.
"""

from __future__ import annotations

from collections.abc import Mapping

from ganvas.errors import UsageError, unknown_name
from ganvas.experiments.input_lessons import INPUT_LESSONS
from ganvas.experiments.lesson_parts import Curve, Lesson, Variant


def _saturating() -> Lesson:
    game, as_written, turned = "gan-mnist", {"config.rules.objective": "minimax"}, {"config.rules.objective": "nonsaturating"}
    still = {"train.rates.G": "0"}  # Source: arXiv:1701.04862 fig. 2 and 3
    return Lesson(
        name="saturating",
        question="Why does the generator not minimise log(1 - D(G(z))), as in the definition of the game?",
        teaches="The more certain the discriminator (the critic), the flatter is log(1 - D): the generator (the artist) gets "
        "the smallest gradient where its samples are worst. -log D has the same fixed point, and is steepest there.",
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
        curve=Curve(note="gradient_generator", title="norm of the generator's gradient", log=True),
    )


def _critic_too_strong() -> Lesson:
    strong = {"train.rates.D": "10"}
    return Lesson(
        name="critic-too-strong",
        question="Does a better discriminator teach the generator more?",
        teaches="Feedback from a much better discriminator (the critic) teaches nothing: both players should have "
        "similar skill.",
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
        curve=Curve(note="skill", title="skill of the discriminator: the share it classifies correctly"),
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
        question="Why does the generator produce only a few kinds of samples, and what helps?",
        teaches="The discriminator checks whether each sample is real, never whether a mode is missing. A relativistic loss, "
        "noise or gradient penalties recover all modes. A discontinuous generator leaves no samples between them.",
        variants=tuple(Variant(label=label, recipe="gan-ring", settings=settings) for label, settings in ways.items()),
        images=1_500_000,
        minutes=5,
        settings={"train.balance": "fixed", "train.batch": "256"},
        metrics=("modes",),
        samples=2_500,
        notes=("skill",),
        curve=Curve(note="fd", title="distance of mean and covariance (fd of held-out points)", log=True),
        looks=20,
    )


def _vae_against_gan() -> Lesson:
    return Lesson(
        name="vae-against-gan",
        question="What does a generator learn from a discriminator, and what from a bound on the likelihood?",
        teaches="The bound makes the generator (the artist) reconstruct every image: nothing is missing, but all is blurred. "
        "The discriminator accepts only what looks real: samples are sharp, but the loss does not notice what is missing.",
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
        question="What does each part of StyleGAN do?",
        teaches="Styles make the map from noise to images smooth and controllable. On small images a generator without them is "
        "nearer to the data. The mapping network lowers the distance; the equalized learning rate keeps the variety.",
        variants=tuple(
            Variant(label=label, recipe="stylegan-fashion", settings=settings) for label, settings in without.items()
        ),
        images=32_000,
        minutes=8,
        settings={"config.resolution": "16", "config.width": "8", "config.max_width": "32", "data.fit": "crop"},
        metrics=("fd", "recall", "ppl"),
        notes=("skill",),
        curve=Curve(note="fd", title="distance from the data (fd of held-out images)", log=True),
        looks=5,
    )


def _growth() -> Lesson:
    return Lesson(
        name="progressive-growth",
        question="Why start with a few pixels?",
        teaches="Progressive growing saves time, because the first images are small. At 32 pixels it has no other advantage: "
        "full size is not hard there, and the last layers have little time to learn. It was made for 1,024 pixels.",
        variants=(
            Variant(label="grown from 4x4", recipe="progan-mnist"),
            Variant(label="full size from the start", recipe="progan-mnist", settings={"config.grown_by": "0"}),
        ),
        images=60_000,
        minutes=7,
        settings={"config.max_width": "32"},
        metrics=("fd", "recall", "swd"),
        curve=Curve(note="fd", title="distance from the data (fd of held-out images)", log=True),
        looks=8,
    )


def _discriminative() -> Lesson:
    return Lesson(
        name="discriminative-generative",
        question="P(class | features) or P(features | class): which model knows more about a digit?",
        teaches="The discriminative model learns the boundary and classifies digits best. It generates none, and classifies a "
        "shoe as a digit. The generative model generates, classifies by Bayes' rule, and detects what is not a digit.",
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
        *INPUT_LESSONS,
    )
}


# Lessons of docs/lessons that train no variants of one game: name -> their question, and the command.
OTHER_LESSONS: Mapping[str, tuple[str, str]] = {
    "pixels-critic": (
        "A larger picture: as right as possible, or as real as possible?",
        "ganvas eval sr-photos --against earth --samples 318 --strength 0",
    ),
    "augmentation": (
        "Do generated pictures help a classifier that has few labels?",
        "ganvas augment cgan-mnist --study",
    ),
}


def find_lesson(name: str) -> Lesson:
    """Raises: UsageError: no such lesson; names the nearest, or the command of a lesson that has one of its own."""
    if name in OTHER_LESSONS:
        raise UsageError(f"the lesson {name} has a command of its own: {OTHER_LESSONS[name][1]} (docs/lessons/{name}.md)")
    if name not in LESSONS:
        raise unknown_name("lesson", name, LESSONS)
    return LESSONS[name]
