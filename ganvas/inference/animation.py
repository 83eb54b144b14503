"""Let a picture move as a clip does: both cut alike, the frame of the clip that fits the picture best, the motion from there.

Source: Siarohin et al. 2019, arXiv:2003.00196 sec. 3.3 (relative motion); the choice of the frame: the code of the paper.

Differs: a frame fits if its keypoints, moved to their mean and scaled, are near those of the picture; no landmarks of faces. A
motion that is larger than those of the training is held back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.core.capabilities import Animates
from ganvas.core.modality import IMAGES
from ganvas.data.clip_crops import Crop, choose_crop, doubt_clip, misses_motion
from ganvas.errors import UsageError
from ganvas.inference.inputs import CHUNK
from ganvas.inference.loaded_game import LoadedGame
from ganvas.layers.channels import convert_channels
from ganvas.runtime import placement
from ganvas.utils.parsing import spell_count

Array = npt.NDArray[Any]
# Distance of two poses, 0 to 2, from which they are told to be unlike. Of `motion-emoji`, from the first frame of a clip of its
# test split to the nearest frame of another clip of it (870 pairs): median 0.89, 90% are below 1.85, 95% below 1.92. To the
# nearest of the other frames of its own clip: at most 0.30.
FAR = 1.85


@dataclass(frozen=True)
class Animated:
    """A picture that moves."""

    frames: Array  # uint8 [T, side, side, C]
    source: Array  # uint8 [side, side, 3]: the picture as the model got it
    driving: Array  # uint8 [T, side, side, 3]: and the clip
    crops: tuple[Crop, Crop]  # where both were cut out
    start: int | None  # the frame of the clip that fits the picture best; None: absolute motion
    motion: tuple[float, ...]  # of each frame, 1 for the largest of the training: what is above was held back
    notes: tuple[str, ...]  # what is doubtful, a sentence each


def animate_clip(
    model: LoadedGame,
    source: Array,
    frames: list[Array],
    *,
    absolute: bool = False,
    start: int | None = None,
    advice: str = "leave absolute out",
) -> Animated:
    """A picture uint8 [H, W, 3] and the frames uint8 [H', W', 3] of a clip -> the picture as it moves, with T frames.

    The motion is relative to frame `start`; None: the one whose pose is nearest to that of the picture. `absolute`: the picture
    takes the poses of the clip as they are, which also moves it to another place and makes another shape of it. `advice`
    tells its user how to do without.

    Raises:
        UsageError: the model does not animate, or there is no such frame.
    """
    game = model.game
    if not isinstance(game, Animates):
        raise UsageError(f"{model.name} does not animate pictures; use a model of a recipe motion-...")
    if start is not None and not 0 <= start < len(frames):
        raise UsageError(f"start: expected a frame from 0 to {len(frames) - 1}, got {start}")
    if start is not None and absolute:
        raise UsageError("start and absolute: absolute motion has no frame that it starts from; leave one out")
    side, channels = int(game.config.resolution), int(game.config.channels)
    crops = choose_crop([source]), choose_crop(frames)
    picture, clip = crops[0].cut(source, side), np.stack([crops[1].cut(frame, side) for frame in frames])
    notes = doubt_clip(clip, picture)
    if misses_motion(frames, crops[1]):
        notes.append(
            f"most of what moves in the clip lies outside the square that is cut out of it, {crops[1].text()}; "
            "crop the clip around what moves"
        )
    device = placement.device_of(game)
    seen, driving = (_as_input(x, channels, device) for x in (picture[None], clip))
    with torch.no_grad():
        motion: tuple[float, ...] = ()
        if not absolute:
            distances = measure_poses(game, seen, driving)
            start = int(distances.argmin()) if start is None else start
            if float(distances[start]) > FAR:
                notes.append(
                    f"the clip has no pose like that of the picture: even the nearest, of frame {start + 1}, differs much; "
                    "another clip may move it better"
                )
        # Absolute motion is that from the pose of the picture itself: so it is held back too where it is too large.
        first = seen if start is None else driving[start : start + 1]
        made, sizes = [], []
        for part in driving.split(CHUNK):  # one size of all parts: see `inputs.compute_chunks`
            made.append(game.animate(seen, part[None], first)[0])
            sizes += game.measure_motion(part[None], first)[0].tolist()
        motion = tuple(sizes)
    output = IMAGES.denormalize(placement.to_cpu(torch.cat(made))).movedim(1, -1).numpy()
    if held := sum(size > 1 for size in motion):
        most = math.ceil(100 * max(motion)) / 100  # rounded up: what is held back is more than 1.00 times
        notes.append(
            f"{spell_count(held, 'frames')} of {len(motion)} {'moves' if held == 1 else 'move'} further than the clips of the "
            f"training, up to {most:.2f} times: the motion was held back there"
            + f"; the poses of the clip are unlike that of the picture, {advice}"
            * absolute
        )
    return Animated(output, picture, clip, crops, start, motion, tuple(notes))


def measure_poses(game: Animates, source: Tensor, driving: Tensor) -> Tensor:
    """source [1, C, H, W], frames [T, C, H, W] -> how far each pose is from that of the source, over its size, [T]."""
    poses = torch.cat([game.find_pose(part) for part in (source, *driving.split(CHUNK))])
    poses = poses - poses.mean(1, keepdim=True)
    poses = poses / poses.square().sum((1, 2), keepdim=True).sqrt().clamp(min=1e-6)
    return placement.to_cpu((poses[1:] - poses[:1]).square().sum((1, 2)).sqrt())


def animate_arrays(game: Animates, source: Tensor, driving: Tensor, *, absolute: bool) -> Tensor:
    """source [N, C, H, W], driving [N, T, C, H, W] -> [N, T, C, H, W]; relative to the frame of each clip that fits best."""
    if absolute:
        return game.animate(source, driving, source)
    fits = [int(measure_poses(game, source[k : k + 1], driving[k]).argmin()) for k in range(len(source))]
    return game.animate(source, driving, driving[torch.arange(len(source)), fits])


def _as_input(frames: Array, channels: int, device: torch.device) -> Tensor:
    """uint8 [T, H, W, 3] -> [T, C, H, W] in [-1, 1] on the device."""
    kept = torch.from_numpy(np.array(frames)).movedim(-1, 1)
    return convert_channels(IMAGES.normalize(kept.to(device)), channels)
