"""Measures of the keypoints of a game that animates: whether joints can be told from them, and whether they follow a bend."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganvas.core.capabilities import Animates
from ganvas.core.modality import IMAGES
from ganvas.data.clips import ClipTable
from ganvas.data.dataset import Dataset
from ganvas.errors import UsageError
from ganvas.evaluation.baselines import choose_training_rows
from ganvas.evaluation.measures import Measurement
from ganvas.inference.inputs import CHUNK
from ganvas.inference.loaded_game import LoadedGame
from ganvas.layers.smooth_warp import NUMBERS, SmoothWarp
from ganvas.metrics.confidence import mean_interval
from ganvas.runtime import placement

MOTIONS = ("keypoint_error", "equivariance")


def measure_motions(model: LoadedGame, data: Dataset, rows: Tensor, train: Dataset) -> Mapping[str, Measurement]:
    """`equivariance`, and `keypoint_error` where the joints are known. Both are distances in shares of the side.

    Raises:
        UsageError: the model has no keypoints, or the data no clips.
    """
    game = model.game
    if not isinstance(game, Animates) or "driving" not in data.modalities:
        raise UsageError("only models that animate clips have it")
    measures = {"equivariance": measure_equivariance(game, data, rows)}
    if isinstance(data, ClipTable) and data.joints is not None and isinstance(train, ClipTable):
        measures["keypoint_error"] = measure_joints(game, data, rows, train)
    return measures


def measure_equivariance(game: Animates, data: Dataset, rows: Tensor) -> Measurement:
    """The distance of the keypoints of a frame from those of the bent frame, bent back. Baseline: keypoints that rest.

    Source: Siarohin et al. 2019, arXiv:2003.00196 eq. 8; the sizes of the bends are those of the training.
    """
    noise = torch.randn(len(rows), NUMBERS, generator=torch.Generator().manual_seed(3))
    device, far, rests = placement.device_of(game), [], []
    with torch.no_grad():
        for some, part in zip(rows.split(CHUNK), noise.split(CHUNK), strict=True):
            frames, bend = _frames(data, some, device), SmoothWarp.from_noise(part.to(device))
            points, bent = game.find_pose(frames), game.find_pose(bend.change(frames))
            far.append((points - bend.move(bent)).norm(dim=2).mean(1))
            rests.append((points - bend.move(points)).norm(dim=2).mean(1))
    value, interval = mean_interval(placement.to_cpu(torch.cat(far)).double() / 2)
    trivial = float(placement.to_cpu(torch.cat(rests)).double().mean() / 2)
    return Measurement(value, interval, None, len(rows), "none", trivial)


def measure_joints(game: Animates, data: ClipTable, rows: Tensor, train: ClipTable) -> Measurement:
    """The distance of the true joints from those that the best linear map makes of the keypoints.

    The map is that of least squares on frames of the training split. Baseline: the mean place of each joint there.
    """
    known = choose_training_rows(train)
    wanted, truth = train.find_joints(known).double(), data.find_joints(rows).double()
    points, others = _find_points(game, train, known), _find_points(game, data, rows)
    fitted = torch.linalg.lstsq(_with_one(points), wanted.flatten(1)).solution
    found = (_with_one(others) @ fitted).view_as(truth)
    value, interval = mean_interval((found - truth).norm(dim=2).mean(1) / 2)
    trivial = float((wanted.mean(0) - truth).norm(dim=2).mean() / 2)
    return Measurement(value, interval, None, len(rows), "none", trivial)


def _find_points(game: Animates, data: Dataset, rows: Tensor) -> Tensor:
    """The keypoints of the driving frames, [N, 2K], float64."""
    device = placement.device_of(game)
    with torch.no_grad():
        parts = [placement.to_cpu(game.find_pose(_frames(data, some, device))) for some in rows.split(CHUNK)]
    return torch.cat(parts).flatten(1).double()


def _frames(data: Dataset, rows: Tensor, device: torch.device) -> Tensor:
    """The driving frames, of clips the last ones, normalized."""
    kept = data.rows(rows)["driving"].to(device)
    return IMAGES.normalize(kept if kept.ndim == IMAGES.ndim else kept[:, -1])


def _with_one(points: Tensor) -> Tensor:
    return torch.cat([points, torch.ones_like(points[:, :1])], 1)
