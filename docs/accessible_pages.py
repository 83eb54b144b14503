"""A Sphinx extension: it mends the pages of the theme for those who read with a screen reader, or move by keys.

Scrolling by keys needs the width of the window, so it is in site.js.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

PARAMETERS = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*</dd>\n)+)</dl>')
RESULTS = '<div id="search-results">'
CHANGES = (
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer">', '<aside class="toc-drawer" aria-label="On this page">'),
    ('<th class="head"><p></p></th>', '<td class="head"></td>'),  # a heading without words is none
)


def mend_page(text: str) -> str:
    """The HTML of a page, mended. What is mended already stays as it is."""
    for found, wanted in CHANGES:
        text = text.replace(found, wanted)
    text = PARAMETERS.sub(_as_list, text)
    return text if "<h1" in text else text.replace(RESULTS, f"<h1>Search</h1>\n{RESULTS}")


def _as_list(match: re.Match[str]) -> str:
    """The parameters of a long signature, which Sphinx writes as descriptions of nothing."""
    rows = match[1].replace("<dd>", "<li>").replace("</dd>", "</li>")
    return f'<ul class="sig-param-list">\n{rows}</ul>'


def mend_pages(app: Sphinx, error: Exception | None) -> None:
    """Mend all pages of a finished build."""
    if error is not None or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if (mended := mend_page(text)) != text:
            path.write_text(mended, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
