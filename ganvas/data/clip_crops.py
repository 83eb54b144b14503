"""Cut the square with the object out of a clip or a picture, find jump cuts, and say what is doubtful about a clip.

A picture and the clip that drives it are cut by one rule, so that the object has the same size and place in both: around all
that is not the ground, if the ground is plain; else in the middle.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]
PLAIN = 20  # levels of 255 by which a pixel of a plain ground may differ from its color
SURE = 0.9  # share of the edge of the pictures that is the ground, if it is plain
MARGIN = 1.08  # the side of the square over that of the object
WHOLE = 0.8  # an object that fills this share of the picture is not cut out: it would only be resampled
JUMP, TIMES = 0.12, 5.0  # change of a pixel from frame to frame, of the range, and over the median, of a jump cut
MISSED = 0.5  # of the mean change in the whole frame: if the square has less, most of what moves lies outside it
GREY = 6  # levels: colors that differ by less are grey
FEW = 24  # frames of a clip that are looked at
TOLD = 5  # jump cuts that are named


@dataclass(frozen=True)
class Crop:
    """A square in pixels of a picture; it may reach beyond its edges, where the ground goes on."""

    left: int
    top: int
    side: int
    size: tuple[int, int]  # width and height of the picture
    ground: tuple[int, int, int]  # the color beyond the edges

    @property
    def whole(self) -> bool:
        """Whether it is all of the picture."""
        return (self.left, self.top, self.side, self.side) == (0, 0, *self.size)

    def text(self) -> str:
        """In words."""
        width, height = self.size
        if self.whole:
            return f"all of {width} x {height} pixels"
        return f"{self.side} x {self.side} pixels at {self.left}, {self.top} of {width} x {height}"

    def cut(self, frame: Array, side: int) -> Array:
        """frame uint8 [H, W, 3] -> the square uint8 [side, side, 3]."""
        image = Image.fromarray(np.ascontiguousarray(frame))
        if not self.whole:
            ground = Image.new("RGB", (self.side, self.side), self.ground)
            ground.paste(image, (-self.left, -self.top))
            image = ground
        if image.size != (side, side):
            image = image.resize((side, side), Image.Resampling.LANCZOS)
        return np.asarray(image)


def choose_crop(frames: Sequence[Array]) -> Crop:
    """The square for all frames uint8 [H, W, 3] of one clip, or of one picture."""
    height, width = frames[0].shape[:2]
    few = _choose_few(frames)
    edge = np.concatenate([few[:, 0], few[:, -1], few[:, :, 0], few[:, :, -1]], 1).reshape(-1, 3)
    color = np.median(edge, 0)
    ground = tuple(int(value) for value in color)
    is_ground = (np.abs(edge - color) <= PLAIN).all(1).mean()
    side = min(width, height)
    middle = Crop((width - side) // 2, (height - side) // 2, side, (width, height), ground)  # type: ignore[arg-type]
    object_ = (np.abs(few.astype(np.int16) - color) > PLAIN).any((0, 3))
    if is_ground < SURE or not object_.any():
        return middle
    rows, columns = (np.flatnonzero(object_.any(axis)) for axis in (1, 0))
    tall, wide = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    if width == height and max(tall, wide) >= WHOLE * side:
        return middle
    side = max(2, round(max(tall, wide) * MARGIN))
    left, top = int(columns[0] + columns[-1] + 1 - side) // 2, int(rows[0] + rows[-1] + 1 - side) // 2
    return Crop(left, top, side, (width, height), ground)  # type: ignore[arg-type]


def _choose_few(frames: Sequence[Array]) -> Array:
    """Up to `FEW` evenly spaced frames."""
    return np.stack([frames[k] for k in np.linspace(0, len(frames) - 1, min(len(frames), FEW)).round().astype(int)])


def misses_motion(frames: Sequence[Array], crop: Crop) -> bool:
    """Whether most of what moves in the frames uint8 [H, W, 3] of a clip lies outside the square."""
    if len(frames) < 2:
        return False
    pairs = itertools.pairwise(_choose_few(frames))
    change = np.mean([np.abs(after.astype(np.int16) - before).mean(-1) for before, after in pairs], 0)
    change = np.maximum(change - np.median(change), 0)  # noise changes all pixels alike
    inside = change[max(0, crop.top) : crop.top + crop.side, max(0, crop.left) : crop.left + crop.side]
    return bool(inside.mean() < MISSED * change.mean())


def spell_frames(places: Sequence[int]) -> str:
    """The numbers of frames from 0 on, as people count them: frame 9, frames 13, 14."""
    shown = ", ".join(str(place + 1) for place in places[:TOLD])
    more = f" and {len(places) - TOLD} more" if len(places) > TOLD else ""
    return f"frame{'s' * (len(places) > 1)} {shown}{more}"


def find_jumps(frames: Array) -> list[int]:
    """The numbers of the frames, from 1 on, that begin after a jump cut; frames uint8 [T, H, W, 3]."""
    changes = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean((1, 2, 3)) / 255
    if len(changes) < 2:
        return []
    usual = float(np.median(changes))
    return [int(k) + 1 for k in np.flatnonzero((changes > JUMP) & (changes > TIMES * usual))]


def is_grey(frames: Array) -> bool:
    """Whether frames uint8 [..., 3] have no color."""
    spread = frames.max(-1).astype(np.int16) - frames.min(-1)
    return bool((spread <= GREY).mean() > 0.995)


def doubt_clip(frames: Array, source: Array | None = None) -> list[str]:
    """What is doubtful about the frames uint8 [T, H, W, 3] of a clip that drives a picture, a sentence each."""
    doubts = []
    if jumps := find_jumps(frames):
        doubts.append(
            f"the clip jumps to another picture at {spell_frames(jumps)}; what follows is no motion: cut the clip there"
        )
    if is_grey(frames) and (source is None or not is_grey(source)):
        doubts.append("the clip is black and white, and the picture is not; keypoints may be worse")
    return doubts
