"""A Sphinx extension: docstrings of plain text with `code`, lists, indented examples and "Raises:" become reStructuredText.

Under a dataclass those fields are listed that have a comment beside them in the source, with it.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from ganvas import errors

SPECIAL = re.compile(r"([\\*|_<>])")  # characters with a meaning in reStructuredText
CALL = re.compile(r"(\w+ = )?[\w.]+\(.*")  # a line of an example
RAISED = re.compile(r"((?:[A-Z]\w+, )*[A-Z]\w*(?:Error|Warning|Exit)): ")
FIELD = re.compile(r"^    (\w+): .+?  # (.*)$")


def escape(text: str) -> str:
    """A text with `code` as reStructuredText: code stays code, and nothing else has a meaning."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without another
        return SPECIAL.sub(r"\\\1", text).replace("`", "\\`")
    return "".join(f"\\ ``{part}``\\ " if at % 2 else SPECIAL.sub(r"\\\1", part) for at, part in enumerate(parts))


def list_raised(text: str) -> Iterator[str]:
    """What stands after "Raises:", on one line, as a field for each error."""
    _, *found = RAISED.split(text)
    for names, when in zip(found[::2], found[1::2], strict=True):
        for name in names.split(", "):
            known = f"~ganvas.errors.{name}" if hasattr(errors, name) else name
            yield f":raises {known}: {escape(when.strip())}"


def rewrite(docstring: str) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", docstring.strip()):
        text, found, raised = paragraph.partition("Raises:")
        rows = text.splitlines()
        if rows and all(CALL.fullmatch(row) or row.startswith("    ") for row in rows):
            lines += ["::", "", *(f"    {row}" for row in rows), ""]
        elif rows:
            for row in rows:  # a list needs an empty line before it
                lines += [""] if row.startswith("- ") and lines and lines[-1] and not lines[-1].startswith(("- ", "  ")) else []
                lines.append(escape(row))
            lines.append("")
        if found:
            lines += [*list_raised(" ".join(raised.split())), ""]
    return lines


def list_fields(kind: type) -> Iterator[str]:
    """The fields of a dataclass that have a comment beside them, as a list; the others are in the signature alone."""
    own = {field.name for field in dataclasses.fields(kind)}
    for line in inspect.getsource(kind).splitlines():
        match = FIELD.match(line)
        if match and match[1] in own:
            yield f"- ``{match[1]}``: {escape(match[2])}"


def process_docstring(app: Sphinx, what: str, name: str, described: Any, options: Any, lines: list[str]) -> None:
    """Rewrite the docstring of an object that autodoc found."""
    lines[:] = [] if what == "data" else rewrite("\n".join(lines))  # that of a constant is the one of its type
    if isinstance(described, type) and dataclasses.is_dataclass(described):
        lines += ["", *list_fields(described), ""]


def process_signature(
    app: Sphinx, what: str, name: str, described: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Defaults that are no Python, such as <factory>, become dots: Sphinx shows a signature that it cannot read as it is."""
    return signature and re.sub(r"<[^<>]*>", "...", signature), returned


def draw_dashes(app: Sphinx, page: nodes.document) -> None:
    """A dash between an error and its reason, which is all that smart quotes would be needed for."""
    for text in list(page.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" – "))  # noqa: RUF001


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("autodoc-process-signature", process_signature)
    app.connect("doctree-read", draw_dashes)
    return {"parallel_read_safe": True}
