"""Encode images to latent codes, decode codes, and reconstruct images."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.core.capabilities import Classifies, Conditional, Encodes, Samples
from ganvas.core.game import Game
from ganvas.core.modality import IMAGES, VOXELS, modality_of_shape
from ganvas.errors import UsageError
from ganvas.inference.batches import classify_chunks, encode_chunks, sample_chunks

Array = npt.NDArray[Any]


def as_numbers(name: str, given: Any, shape: str, *, files: bool = False) -> np.ndarray[Any, Any]:
    """The array that a user gave; `name` and the expected `shape` are for the message. `files`: a picture or path would do.

    Raises:
        UsageError: it is no array of numbers.
    """
    try:
        array = np.asarray(given)
    except ValueError:  # rows of unlike lengths
        array = np.empty(0, object)
    if array.dtype.kind in "biuf":
        return array
    found = type(given).__name__
    if isinstance(given, (list, tuple)) and given:
        found += f" of {type(given[0]).__name__}"
    expected, advice = f"an array {shape}", "give one"
    if files:
        expected, advice = f"a path, a picture of Pillow or {expected}", "give pictures one by one"
    elif found.endswith(("str", "Path")):
        advice = "read files with Pillow: numpy.asarray(Image.open(path))"
    raise UsageError(f"{name}: expected {expected}, found {found}; {advice}")


def as_samples(array: npt.ArrayLike, shape: tuple[int, ...]) -> Tensor:
    """uint8 [n, H, W, C] (or [n, H, W] if C is 1) -> images [n, *shape] in [-1, 1]; solids uint8 or bool [n, D, H, W], 1 where
    they are filled -> [n, *shape], too; points as float32.

    Raises:
        UsageError: another type or shape, or no samples.
    """
    given, modality = as_numbers("samples", array, "of numbers"), modality_of_shape(shape)
    if modality is VOXELS:
        known = given.dtype in (np.uint8, np.bool_)
        if not known or given.max(initial=0) > 1:
            found = f"numbers up to {given.max()}" if known else given.dtype
            raise UsageError(f"solids: expected uint8 [n, D, H, W] of 0 and 1, got {found}; give what is filled as 1")
        wanted = shape[1:]
        samples = VOXELS.normalize(255 * torch.from_numpy(np.array(given, np.uint8))[:, None])
    elif modality is IMAGES:
        if given.dtype != np.uint8:
            raise UsageError(f"images: expected uint8 [n, H, W, C], got {given.dtype}; scale them to 0..255")
        wanted = (*shape[1:], shape[0])
        given = given[..., None] if given.ndim == 3 and shape[0] == 1 else given
        samples = torch.from_numpy(np.require(given, requirements=["C", "W"]))  # PyTorch warns of memory that is read-only
        samples = samples.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0) if given.ndim == 4 else samples
    else:
        wanted, samples = shape, torch.from_numpy(np.require(given, np.float32, ["C", "W"]))
    if samples.shape[1:] != shape or len(samples) == 0:
        expected = ", ".join(map(str, wanted))
        raise UsageError(f"{modality.name}: expected shape [n, {expected}] with n at least 1, got {list(given.shape)}")
    return samples


def encode(game: Game, x: Tensor) -> Tensor:
    """x [N, ...] as the game takes it -> its codes [N, latent_dim] on the CPU.

    Raises:
        UsageError: the game has no encoder.
    """
    if not isinstance(game, Encodes):
        raise UsageError(
            f"a {type(game).__name__} has no encoder, so it cannot find the code of an image; use a vae-... recipe"
        )
    return encode_chunks(game, x)


def reconstruct(game: Game, x: Tensor) -> Tensor:
    """x [N, ...] as the game takes it -> samples of their codes [N, ...] on the CPU, of the class that it predicts.

    Raises:
        UsageError: the game has no encoder, or needs a class and is no classifier.
    """
    z = encode(game, x)
    c = classify_chunks(game, x) if isinstance(game, Conditional) and isinstance(game, Classifies) else None
    return sample_chunks(cast(Samples, game), z, c)


def decode(game: Samples, z: npt.ArrayLike) -> Tensor:
    """z [N, latent_dim] -> samples [N, ...] on the CPU.

    Raises:
        UsageError: another shape, or a game that needs a class.
    """
    given = as_numbers("z", z, f"[n, {game.latent_dim}]")
    codes = torch.from_numpy(np.ascontiguousarray(given, dtype=np.float32))
    if codes.ndim != 2 or codes.shape[1] != game.latent_dim or len(codes) == 0:
        raise UsageError(f"z: expected shape [n, {game.latent_dim}] with n at least 1, got {list(codes.shape)}")
    if isinstance(game, Conditional):
        raise UsageError("this model is conditional, and a code has no class; use sample(n, label=...)")
    return sample_chunks(game, codes, None)
