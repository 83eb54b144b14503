"""The settings of the docs site: `make docs` builds it into build/site, without a network and with any warning as an error.

Its pages are the Markdown files of the repository as they are, so that they read the same there. The root of the sources is the
root of the repository: README.md is the first page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]  # the package that is described, and the extensions beside this file

from ganvas import __version__  # noqa: E402

project, author, release, language = "ganvas", "the authors of ganvas", __version__, "en"
extensions = ["myst_parser", "sphinx.ext.autodoc", "plain_docstrings", "accessible_pages", "cyclopts.ext.sphinx"]
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "ganvas/**/README.md"]
exclude_patterns = ["build", "dist", "site", "runs", "lessons", ".*", "**/__pycache__"]

# The navigation: heading -> pages, without their suffix. Pages of docs/ that are in none of them come last.
NAVIGATION = {
    "Use a model": ("models", "translation", "latents", "export", "studio"),
    "Train and judge": ("data", "metrics", "doctor", "balance", "reliability", "benchmarks"),
    "Learn": ("lessons/README", "systems/README"),
    "Look up": ("commands", "python"),
    "Build": ("/CONTRIBUTING", "architecture", "networks", "/CHANGELOG"),
}
FOLDERS = ("docs/lessons/README", "docs/systems/README", "docs/networks")  # pages whose links are the pages below them

# Markdown as GitHub reads it: headings are anchors; a block without a language is no code.
myst_heading_anchors = 4
highlight_language = "none"
smartquotes = False  # they make a dash of --json
default_role = "literal"  # `code` in the help of the commands

# The docstrings of the public names, in the order of the source. Signatures have short types, and no links to other projects.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
maximum_signature_line_length = 100

# The look: that of the studio. No font and no script comes from a network.
html_theme = "furo"
html_title = f"ganvas {__version__}"
html_favicon = "../ganvas/studio/static/common/icon.svg"
html_static_path = ["site.css", "site.js"]
html_js_files = ["site.js"]
html_search_scorer = str(ROOT / "docs" / "search_scorer.js")
html_css_files = ["site.css"]
html_additional_pages = {"index": "index.html"}  # the address of the site leads to README.html
templates_path = ["templates"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2f4fc4", "color-brand-content": "#2f4fc4"},
    "dark_css_variables": {"color-brand-primary": "#9db2ff", "color-brand-content": "#9db2ff"},
}

# External links are checked by `make docs-links` alone, which needs a network.
linkcheck_timeout, linkcheck_retries, linkcheck_workers = 30, 2, 4


def list_navigation() -> dict[str, list[str]]:
    """Heading -> pages from the root of the repository, without their suffix; no page of docs/ is missing."""
    found = {
        heading: [name.removeprefix("/") if name.startswith("/") else f"docs/{name}" for name in names]
        for heading, names in NAVIGATION.items()
    }
    listed = {name for names in found.values() for name in names}
    every = sorted(f"docs/{path.stem}" for path in (ROOT / "docs").glob("*.md"))
    more = [name for name in every if name not in listed]
    return found | ({"More": more} if more else {})


def list_children(page: str, text: str) -> list[str]:
    """The pages that belong under a page, of those that it links to, from the root of the repository, each once."""
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#\s:]+\.md)\)", text)
    paths = dict.fromkeys((folder / link).resolve().relative_to(ROOT).with_suffix("").as_posix() for link in links)
    inside = "ganvas/" if page == "docs/networks" else f"{folder.relative_to(ROOT).as_posix()}/"
    return [path for path in paths if path.startswith(inside)]


def write_toctree(pages: list[str], caption: str = "") -> str:
    """A table of contents that is not shown in the page, in MyST."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["", "```{toctree}", *options, *(f"/{page}" for page in pages), "```", ""])


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Give the pages that lead to others a table of contents, which would only disturb readers on GitHub."""
    if page == root_doc:
        source[0] += "".join(write_toctree(pages, heading) for heading, pages in list_navigation().items())
    elif page in FOLDERS:
        source[0] += write_toctree(list_children(page, source[0]))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_navigation)
