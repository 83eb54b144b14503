"""Masks of holes in pictures: brush strokes and rectangles, a pure function of uniform numbers.

Source: Yu et al. 2019, arXiv:1806.03589 sec. 3.4 and supplementary algorithm 1: strokes of a brush that turns at each vertex,
with round ends and joints.

Differs: a mask has rectangles too, as regular holes are common; all lengths are shares of the shorter side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ganvas.latents.seed_latents import latents

STROKES, STEPS, RECTANGLES = 3, 4, 2  # at most, in a mask; straight steps of a stroke
LENGTHS, BRUSHES, SIDES = (0.05, 0.3), (0.06, 0.16), (0.12, 0.36)  # of a step, of the width of a brush, of a rectangle
TURN = 0.7 * math.pi  # a brush turns by at most half of this from its direction in either sense
LEAST = 1.5  # pixels: a narrower brush might miss all centers of pixels
PER_STROKE = 4 + 2 * STEPS  # two of a start, a direction, a width; then a turn and a length for each step
NUMBERS = 1 + STROKES * PER_STROKE + RECTANGLES * 4  # uniform numbers that a mask is made of


def draw_masks(numbers: Tensor, height: int, width: int) -> Tensor:
    """Uniform numbers [N, NUMBERS] in [0, 1) -> masks [N, 1, height, width]: 1 in the hole, else 0.

    Every mask has a hole, and none covers the whole picture: on the average it is 15 % of it.
    """
    side = float(min(height, width))
    y = torch.arange(height, device=numbers.device, dtype=torch.float32)[:, None] + 0.5
    x = torch.arange(width, device=numbers.device, dtype=torch.float32)[None, :] + 0.5
    hole = numbers.new_zeros(len(numbers), height, width, dtype=torch.bool)
    # Any number of strokes with any number of rectangles, but not none of both.
    count = (numbers[:, 0] * ((STROKES + 1) * (RECTANGLES + 1) - 1)).long() + 1
    strokes, rectangles = count % (STROKES + 1), count // (STROKES + 1)
    rest = numbers[:, 1:]
    for k in range(STROKES):
        ours, rest = rest[:, :PER_STROKE], rest[:, PER_STROKE:]
        hole |= _draw_stroke(ours, y, x, side) & (k < strokes)[:, None, None]
    for k in range(RECTANGLES):
        ours, rest = rest[:, :4], rest[:, 4:]
        hole |= _draw_rectangle(ours, y, x, side) & (k < rectangles)[:, None, None]
    return hole[:, None].float()


def masks_of_seeds(seeds: Sequence[int], height: int, width: int) -> Tensor:
    """The masks [N, 1, height, width] of seeds: a seed has the same mask in any company."""
    # Normal noise to uniform numbers; 1 itself, which is rounding, would be no number of `draw_masks`.
    return draw_masks(torch.special.ndtr(latents(seeds, NUMBERS)).clamp(max=1 - 1e-6), height, width)


def _draw_stroke(numbers: Tensor, y: Tensor, x: Tensor, side: float) -> Tensor:
    """Numbers [N, PER_STROKE] -> whether a pixel is within half a brush of the line of a stroke, [N, H, W]."""
    height, width = y.shape[0], x.shape[1]
    top, left = numbers[:, 0] * height, numbers[:, 1] * width
    angle = numbers[:, 2] * 2 * math.pi
    reach = (_between(numbers[:, 3], BRUSHES) * side).clamp(min=LEAST)[:, None, None] / 2
    hole = numbers.new_zeros(len(numbers), height, width, dtype=torch.bool)
    for turn, length in numbers[:, 4:].unflatten(1, (STEPS, 2)).permute(1, 2, 0).unbind():
        angle = angle + (turn - 0.5) * TURN
        step = _between(length, LENGTHS) * side
        # A step ends inside the picture, so that no stroke is lost beyond its edge.
        bottom = (top + step * angle.sin()).clamp(0, height)
        right = (left + step * angle.cos()).clamp(0, width)
        hole |= _square_distance(y, x, top, left, bottom, right) <= reach.square()
        top, left = bottom, right
    return hole


def _draw_rectangle(numbers: Tensor, y: Tensor, x: Tensor, side: float) -> Tensor:
    """Numbers [N, 4] -> whether a pixel is in a rectangle, [N, H, W]."""
    high, wide = ((_between(numbers[:, k], SIDES) * side).clamp(min=LEAST)[:, None, None] for k in (2, 3))
    top = numbers[:, 0, None, None] * (y.shape[0] - high)
    left = numbers[:, 1, None, None] * (x.shape[1] - wide)
    return (y >= top) & (y <= top + high) & (x >= left) & (x <= left + wide)


def _square_distance(y: Tensor, x: Tensor, top: Tensor, left: Tensor, bottom: Tensor, right: Tensor) -> Tensor:
    """The squared distances [N, H, W] of pixels to segments from (top, left) to (bottom, right), each [N]."""
    top, left, down, along = (each[:, None, None] for each in (top, left, bottom - top, right - left))
    share = ((y - top) * down + (x - left) * along) / (down.square() + along.square()).clamp(min=1e-9)
    share = share.clamp(0, 1)
    return (y - top - share * down).square() + (x - left - share * along).square()


def _between(number: Tensor, ends: tuple[float, float]) -> Tensor:
    return ends[0] + number * (ends[1] - ends[0])
