"""Errors, by exit code. A message is one line: what was wrong, what was expected, what was found, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanvasError(Exception):
    """Base class of all errors that a user can get. `exit_code` is the exit code of the command."""

    exit_code = 1


class UsageError(GanvasError):
    """A name, option or setting does not exist, or has a value that does not fit."""

    exit_code = 2


class DataError(GanvasError):
    """Data or a file cannot be used."""

    exit_code = 3


class DivergedError(GanvasError):
    """Training became non-finite, and going back to a checkpoint did not help."""

    exit_code = 4


class ResourceError(GanvasError):
    """Memory, disk or a device is missing."""

    exit_code = 5


class GanvasWarning(UserWarning):
    """Something is done, but may not be what was meant. The command line prints it as one line."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a mistyped name: lists what exists and the nearest match."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"unknown {kind} {name!r}{hint} (known: {', '.join(names)})")
