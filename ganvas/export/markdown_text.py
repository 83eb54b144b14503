"""Markdown of texts that come from files: they stay text, in a table and outside."""

from __future__ import annotations

from collections.abc import Sequence

from ganvas.utils.parsing import printable


def make_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are plain text."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(plain(cell) for cell in line)} |" for line in lines)


def plain(text: object) -> str:
    """A name from a file as plain text in one line: no Markdown, no HTML."""
    found = printable(text, 300)
    for mark in "\\`*[]<>|#":
        found = found.replace(mark, f"\\{mark}")
    return found.replace("_", "\\_")
