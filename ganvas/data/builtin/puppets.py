"""Built-in clips of puppets: figures of a few limbs that dance, turn or grow, on a plain ground. Their joints are known.

A clip is 16 frames of 64 x 64 pixels, and a function of (kind, split, number). `puppets` has three kinds in turn: the first
dances, which moves its limbs one against the other; the second turns as a whole; the third grows and shrinks. `puppets-turning`
has the last two only. Frame k of a clip and frame k + 16 would be equal: a clip is a loop.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.data import cache
from ganvas.utils.seeds import mix

Array = NDArray[np.float64]
Random = np.random.Generator

SIDE, FRAMES = 64, 16
COUNTS = {"train": 480, "test": 96}  # clips
KINDS = ("dance", "turn", "grow")
SOURCES = {"puppets": KINDS, "puppets-turning": KINDS[1:]}
JOINTS = ("head", "neck", "hip", "left hand", "right hand", "left foot", "right foot")
VERSION = 1  # increase it when a frame changes
FINER = 2  # each pixel is the mean of so many by so many
LIMBS = ((1, 2), (1, 3), (1, 4), (2, 5), (2, 6))  # from joint to joint, drawn in this order after the background


def make_clip(source: str, split: str, number: int) -> tuple[NDArray[np.uint8], Array]:
    """A clip uint8 [16, 3, 64, 64], and its joints float64 [16, 7, 2] as (x, y) from -1 to 1."""
    random = _random(source, split, number)
    joints = _move(_kind(source, number), random)
    return _draw(joints, random), joints


def _move(kind: str, random: Random) -> Array:
    """The joints of all frames [16, 7, 2]."""
    time = 2 * np.pi * np.arange(FRAMES) / FRAMES
    dances, spread = kind == "dance", random.uniform(0.25, 0.6, 4)
    # Angles of arms and legs from straight down, and how far they swing.
    rest = np.array([-1.0, 1.0, -0.35, 0.35]) + random.uniform(-0.45, 0.45, 4)
    swing = spread[:, None] * np.sin(time + random.uniform(0, 2 * np.pi, 4)[:, None]) * (1.6 if dances else 0)
    angles = rest[:, None] + swing  # [4, 16]
    trunk, arm, leg, neck = random.uniform(0.34, 0.46), random.uniform(0.34, 0.44), random.uniform(0.36, 0.46), 0.2
    lean = random.uniform(0.1, 0.3) * np.sin(time + random.uniform(0, 6)) * dances
    hip = np.stack([0.12 * np.sin(time + random.uniform(0, 6)), 0.05 * np.sin(2 * time)], -1) * dances
    up = np.stack([np.sin(lean), -np.cos(lean)], -1)
    shoulder = hip + trunk * up
    reach = np.stack([np.sin(angles), np.cos(angles)], -1)  # [4, 16, 2]
    hands, feet = shoulder + arm * reach[:2], hip + leg * reach[2:]
    joints = np.stack([shoulder + neck * up, shoulder, hip, *hands, *feet], 1)
    joints -= joints.mean((0, 1))
    if kind == "turn":
        joints = _turn(joints, random.uniform(0.5, 1.1) * np.sin(time + random.uniform(0, 6)))
    if kind == "grow":
        joints = joints * np.exp(random.uniform(0.2, 0.35) * np.sin(time + random.uniform(0, 6)))[:, None, None]
    fits = 0.86 / np.abs(joints).max()  # nothing leaves the picture
    joints = joints * min(1.0, fits)
    room = 0.86 - np.abs(joints).max((0, 1))
    placed: Array = joints + random.uniform(-1, 1, 2) * room
    return placed


def _turn(joints: Array, angles: Array) -> Array:
    cos, sin = np.cos(angles), np.sin(angles)
    matrix = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    turned: Array = np.einsum("tij,tkj->tki", matrix, joints)
    return turned


def _draw(joints: Array, random: Random) -> NDArray[np.uint8]:
    """joints [16, 7, 2] -> frames uint8 [16, 3, 64, 64]."""
    fine = SIDE * FINER
    size = np.linalg.norm(joints[:, 1] - joints[:, 2], axis=-1) / 0.4  # of the figure, 1 for a trunk of 0.4
    ground = random.uniform(0.6, 1.0, 3)
    shirt, trousers, skin = _choose_color(random), _choose_color(random), random.uniform(0.45, 0.9) * np.array([1.0, 0.8, 0.6])
    thick, shoes, eyes = random.uniform(0.055, 0.085), trousers * 0.5, np.array([0.1, 0.1, 0.15])
    up = joints[:, 0] - joints[:, 1]
    across = np.stack([-up[:, 1], up[:, 0]], -1)
    parts: list[tuple[Array, Array, float, Array]] = []  # start and end of all frames, radius, color
    for limb, (one, other) in enumerate(LIMBS):
        color = (trousers if one == 2 else shirt) * (1.0 if limb % 2 == 0 else 0.8)
        parts.append((joints[:, one], joints[:, other], thick * (2.0 if limb == 0 else 1.0), color))
    for joint, color, radius in ((3, skin, 0.08), (4, skin, 0.08), (5, shoes, 0.09), (6, shoes, 0.09), (0, skin, 0.19)):
        parts.append((joints[:, joint], joints[:, joint], radius, color))
    for side in (-1, 1):
        eye = joints[:, 0] + side * 0.4 * across + 0.15 * up
        parts.append((eye, eye, 0.035, eyes))
    painted = np.zeros((FRAMES, fine, fine), np.uint8)  # the number of the part that is seen, 0: the ground
    for number, (begin, end, radius, _) in enumerate(parts, 1):
        painted[_measure(begin, end) < np.square(radius * size)[:, None, None]] = number
    colors = np.stack([ground, *(color for *_, color in parts)])
    means = colors.astype(np.float32)[painted].reshape(FRAMES, SIDE, FINER, SIDE, FINER, 3).mean((2, 4))
    pixels: NDArray[np.uint8] = (means.clip(0, 1) * 255).round().astype(np.uint8).transpose(0, 3, 1, 2)
    return pixels


def _choose_color(random: Random) -> Array:
    color = random.uniform(0.1, 0.5, 3)
    color[random.integers(3)] = random.uniform(0.6, 0.9)
    return color


def _measure(start: Array, end: Array) -> NDArray[np.float32]:
    """The squared distances of all pixels from the segments of all frames [16, 2] -> [16, H, W]."""
    steps = ((2 * np.arange(SIDE * FINER) + 1) / (SIDE * FINER) - 1).astype(np.float32)
    along = (end - start).astype(np.float32)
    x, y = (steps - start[:, axis, None].astype(np.float32) for axis in (0, 1))  # [16, W], [16, H]
    length = np.maximum((along**2).sum(-1), 1e-12)[:, None]
    share = (x * along[:, :1] / length)[:, None] + (y * along[:, 1:] / length)[..., None]
    share = share.clip(0, 1)
    far: NDArray[np.float32] = (x[:, None] - share * along[:, 0, None, None]) ** 2
    far += (y[..., None] - share * along[:, 1, None, None]) ** 2
    return far


def load_puppets(source: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """All frames uint8 [clips * 16, 3, 64, 64], mapped from the cache, and their joints float32 [clips * 16, 7, 2]."""
    joints = np.concatenate([_move(_kind(source, k), _random(source, split, k)) for k in range(COUNTS[split])])

    def build(file: BinaryIO) -> cache.Record:
        for number in range(COUNTS[split]):
            file.write(make_clip(source, split, number)[0].tobytes())
        return cache.Record((COUNTS[split] * FRAMES, 3, SIDE, SIDE), None, (), ())

    entry = cache.entry_name("puppets", VERSION, source, split)
    pixels, _ = cache.read(entry) or cache.store(entry, build)
    return pixels, torch.from_numpy(joints).float()


def _kind(source: str, number: int) -> str:
    return SOURCES[source][number % len(SOURCES[source])]


def _random(source: str, split: str, number: int) -> Random:
    return np.random.default_rng(mix("puppets", source, split, number))
