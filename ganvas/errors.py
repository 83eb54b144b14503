"""What can go wrong, by exit code: one line that says what was wrong, expected, found, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanvasError(Exception):
    """Base of every error a user can meet. `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(GanvasError):
    """A name, flag or setting that does not exist or does not fit."""

    exit_code = 2


class DataError(GanvasError):
    """Data or a file that cannot be used."""

    exit_code = 3


class DivergedError(GanvasError):
    """Training became non-finite, and going back to a checkpoint did not help."""

    exit_code = 4


class ResourceError(GanvasError):
    """Memory, disk or a device is missing."""

    exit_code = 5


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a mistyped name: lists what exists and the nearest match."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"unknown {kind} {name!r}{hint} (known: {', '.join(names)})")
