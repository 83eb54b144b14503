"""Errors, by exit code. A message is one line: what was wrong, what was expected, what was found, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 20  # names that a message lists; of more only the nearest
NEAREST = 3


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


def unknown_name(kind: str, name: str, known: Iterable[str], see: str = "") -> UsageError:
    """The error for a mistyped name: the nearest match, and what exists; of many names only some.

    `see` is a command that lists them all.
    """
    names = sorted(known)
    holders = [each for each in names if len(name) > 1 and name in each]  # "sr" for "sr-photos", though most letters differ
    near = difflib.get_close_matches(name, holders, n=NEAREST, cutoff=0) or difflib.get_close_matches(
        name, names, n=NEAREST, cutoff=0.5
    )
    hint = f"; did you mean {near[0]!r}?" if near else ""
    some = names if len(names) <= MOST else near or names[:NEAREST]
    more = f" and {len(names) - len(some)} more" if len(some) < len(names) else ""
    listed = f"known: {', '.join(some)}{more}"
    if more and see:
        listed = f"see `{see}`" if near else f"{listed}: see `{see}`"
    return UsageError(f"unknown {kind} {name!r}{hint} ({listed})")
