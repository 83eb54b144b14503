"""Checks of the inputs of measures: a wrong tensor gives a one-line error, not a wrong number."""

from __future__ import annotations

import operator

import torch
from torch import Tensor

from ganvas.errors import UsageError


def require_matrix(x: Tensor, name: str, at_least: int = 2) -> Tensor:
    """x [N, d] as float64, detached; all values are finite and N is at least `at_least`.

    Raises:
        UsageError: another shape, too few rows, or a NaN.
    """
    return require_rows(x, name, at_least).double()


def require_rows(x: Tensor, name: str, at_least: int = 2) -> Tensor:
    """As `require_matrix`, in the type of x: for measures that convert a part of a large set at a time.

    Raises:
        UsageError: another shape, too few rows, or a NaN.
    """
    if x.ndim != 2 or x.shape[1] == 0:
        raise UsageError(f"{name}: expected one row per sample, [N, d], found shape {list(x.shape)}; flatten or reshape it")
    if len(x) < at_least:
        raise UsageError(f"{name}: expected at least {at_least} samples, found {len(x)}; draw more")
    return require_finite(x, name)


def require_matrices(
    a: Tensor, b: Tensor, names: tuple[str, str] = ("real", "fake"), at_least: int = 2
) -> tuple[Tensor, Tensor]:
    """Two sets [N, d] and [M, d] of one d, as float64.

    Raises:
        UsageError: one of them has another shape, too few rows or a NaN, or they differ in d.
    """
    first, second = require_row_sets(a, b, names, at_least)
    return first.double(), second.double()


def require_row_sets(
    a: Tensor, b: Tensor, names: tuple[str, str] = ("real", "fake"), at_least: int = 2
) -> tuple[Tensor, Tensor]:
    """As `require_matrices`, in the types of a and b.

    Raises:
        UsageError: one of them has another shape, too few rows or a NaN, or they differ in d.
    """
    first, second = require_rows(a, names[0], at_least), require_rows(b, names[1], at_least)
    if first.shape[1] != second.shape[1]:
        raise UsageError(
            f"{names[0]} and {names[1]}: expected the same number of features, found {first.shape[1]} and "
            f"{second.shape[1]}; extract both with the same network"
        )
    return first, second


def require_images(x: Tensor, name: str, at_least: int = 1, side: int = 1) -> Tensor:
    """x [N, C, H, W] detached: bytes or finite floats, H and W at least `side`.

    Raises:
        UsageError: another shape or dtype, too few or too small images, or a NaN.
    """
    if x.ndim != 4 or x.shape[1] == 0 or min(x.shape[2:]) < 1:
        raise UsageError(f"{name}: expected images [N, C, H, W], found shape {list(x.shape)}; add the missing dimensions")
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise UsageError(f"{name}: expected uint8 or floating point images, found {x.dtype}; use .to(torch.uint8)")
    if len(x) < at_least:
        raise UsageError(f"{name}: expected at least {at_least} images, found {len(x)}; draw more")
    if min(x.shape[2:]) < side:
        found = f"{x.shape[2]} x {x.shape[3]}"
        raise UsageError(f"{name}: expected images of at least {side} x {side} pixels, found {found}; resize them first")
    return require_finite(x, name)


def require_pairs(a: Tensor, b: Tensor, side: int = 1) -> tuple[Tensor, Tensor]:
    """a and b [N, C, H, W], row by row pairs of images, detached: bytes or floats in [0, 1], H and W at least `side`.

    Raises:
        UsageError: different shapes, another dtype, too small images, floats outside [0, 1], or a NaN.
    """
    a, b = require_images(a, "a", side=side), require_images(b, "b", side=side)
    if a.shape != b.shape:
        raise UsageError(f"a and b: expected pairs of one shape, found {list(a.shape)} and {list(b.shape)}; resize one")
    for each, name in ((a, "a"), (b, "b")):
        if each.is_floating_point() and (each.min() < 0 or each.max() > 1):
            found = f"{each.min().item():.3g} to {each.max().item():.3g}"
            raise UsageError(f"{name}: expected bytes or floats from 0 to 1, found {found}; map [-1, 1] by (x + 1) / 2")
    return a, b


def require_finite(x: Tensor, name: str) -> Tensor:
    """x detached, if every number in it is real and finite.

    Raises:
        UsageError: there is a NaN or an infinity, or the numbers are complex.
    """
    x = x.detach()
    if x.is_complex():
        raise UsageError(f"{name}: expected real numbers, found {x.dtype}; take the real part, or both parts as two numbers")
    if x.is_floating_point() and (wrong := x.numel() - int(x.isfinite().sum())):
        raise UsageError(
            f"{name}: expected finite numbers, found {wrong:,} of {x.numel():,} that are NaN or infinite; "
            "the model has diverged: measure an earlier checkpoint"
        )
    return x


def require_integer(value: int, name: str, low: int, high: int | None = None) -> int:
    """`value`, if it is a whole number in low .. high.

    Raises:
        UsageError: it is not. True and 2.0 are no whole numbers: they would mean something else further on.
    """
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        raise UsageError(f"{name}: expected a whole number {bounds}, found {value}; choose another or draw more samples")
    return operator.index(value)
