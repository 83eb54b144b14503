"""The lessons about games whose input is data: translation, super-resolution, motion.

All of them are trained at 32 pixels or with small networks, on the pictures that come with ganvas, so that they run in minutes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ganvas.experiments.lesson_parts import Curve, Lesson, Variant

ERROR = Curve(note="mae", title="mean absolute error of held-out pictures")


def _paired() -> Lesson:
    alike = {"config.residual": "false", "config.widths": "[24,32,48]", "config.critic_widths": "[32,48,64]"}
    weights = {"config.cycle": "10", "config.identity": "5"}  # as in the paper
    return Lesson(
        name="paired-unpaired",
        question="What are pairs worth when a picture becomes another one?",
        teaches="With pairs the loss says of each pixel what it should have been. Without them the critic (the discriminator) "
        "only knows what shaded pictures look like, and the cycle only that nothing may be lost.",
        variants=(
            Variant(label="pairs (pix2pix)", recipe="pix2pix-emoji", settings=alike),
            Variant(label="no pairs (CycleGAN)", recipe="cyclegan-emoji", settings={**alike, **weights}),
        ),
        images=8_000,
        minutes=3,
        settings={"config.resolution": "32"},
        metrics=("mae", "ssim", "fd"),
        direction="a>b",
    )


def _cycle() -> Lesson:
    new = {"config.residual": "false"}  # G makes a new picture: one that starts as a copy keeps the content by itself
    none, cycle = {"config.cycle": "0", "config.identity": "0"}, {"config.cycle": "10", "config.identity": "0"}
    return Lesson(
        name="cycle",
        question="What does the cycle of CycleGAN forbid?",
        teaches="Two critics (discriminators) only ask for pictures that look right, whatever they show. The cycle forbids "
        "losing what is in the picture: it must come back.",
        variants=(
            Variant(label="no cycle", recipe="cyclegan-emoji", settings={**new, **none}),
            Variant(label="cycle", recipe="cyclegan-emoji", settings={**new, **cycle}),
            Variant(label="cycle, identity", recipe="cyclegan-emoji", settings={**new, **cycle, "config.identity": "5"}),
        ),
        images=8_000,
        minutes=6,
        settings={
            "config.resolution": "32",
            "config.widths": "[24,32,48]",
            "config.critic_widths": "[32,48,64]",
        },
        metrics=("cycle", "mae", "ssim", "fd"),
        direction="a>b",
    )


def _spade() -> Lesson:
    return Lesson(
        name="spade-concatenation",
        question="Does it matter where in the generator the map enters?",
        teaches="With SPADE the map scales and shifts the features of every layer. Pictures are nearer to real ones than those "
        "of a generator that gets the map at its first and its last layer alone.",
        variants=(
            Variant(label="SPADE", recipe="spade-earth"),
            Variant(label="concatenation", recipe="spade-earth", settings={"config.modulation": "concat"}),
        ),
        images=12_000,
        minutes=3,
        settings={
            "config.resolution": "32",
            "config.widths": "[64,64,48]",
            "config.map_width": "32",
            "config.critic_widths": "[32,48,64]",
        },
        metrics=("fd", "found", "miou", "mae"),
    )


def _order() -> Lesson:
    small: Mapping[str, str] = {
        "config.resolution": "32",
        "config.detector_widths": "[16,24,24]",
        "config.motion_widths": "[16,24,24]",
        "config.draw_widths": "[16,24]",
        "config.perceptual": "0",
        "config.pixel_share": "1",
        "train.learning_rate": "2e-3",
        "train.average_halflife": "300",
    }
    return Lesson(
        name="motion-order",
        question="What must a model know about the motion of a point: where it goes, or also how it turns?",
        teaches="A point can only be moved. A point with a matrix also says how its surroundings turn and grow: a Taylor "
        "expansion of the first order instead of order zero.",
        variants=(
            Variant(label="zero order", recipe="motion-puppets", settings={"config.first_order": "false"}),
            Variant(label="first order", recipe="motion-puppets"),
        ),
        images=8_000,
        minutes=2,
        settings={**small, "data.source": "puppets-turning"},
        metrics=("mae", "ssim", "keypoint_error", "equivariance"),
        curve=ERROR,
        looks=10,
    )


INPUT_LESSONS = (_paired(), _cycle(), _spade(), _order())
