"""The docs site: it builds without a warning, every link in it leads somewhere, and the public names are in its search."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import ganvas
import ganvas.editing

pytest.importorskip("sphinx", reason="needs the extra docs")
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, Any]]:
    """What docs/conf.py defines. It adds to the search path of modules what Sphinx needs."""
    before = list(sys.path)
    yield runpy.run_path(str(DOCS / "conf.py"))
    sys.path[:] = before


@pytest.fixture(scope="module")
def docstrings() -> dict[str, Any]:
    """What docs/plain_docstrings.py defines."""
    return runpy.run_path(str(DOCS / "plain_docstrings.py"))


def test_every_page_is_in_the_navigation(settings: dict[str, Any]) -> None:
    first = [page for pages in settings["list_navigation"]().values() for page in pages]
    texts = {page: (ROOT / f"{page}.md").read_text(encoding="utf-8") for page in settings["FOLDERS"]}
    below = [child for page, text in texts.items() for child in settings["list_children"](page, text)]
    found = [*first, *below]
    assert len(set(found)) == len(found)
    assert [page for page in found if not (ROOT / f"{page}.md").exists()] == []
    pages = [*DOCS.rglob("*.md"), *(ROOT / "ganvas").rglob("README.md")]
    assert {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages} <= set(found)


def test_every_public_name_is_on_the_page_of_names() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)$", text, re.MULTILINE))
    assert {f"ganvas.{name}" for name in ganvas.__all__} <= described
    assert {"ganvas.editing", "ganvas.errors", "ganvas.core.capabilities"} <= described  # with all that they hold


@pytest.mark.parametrize(
    ("plain", "lines"),
    [
        ("`n` of **x* a_ b|c", ["\\ ``n``\\  of \\*\\*x\\* a\\_ b\\|c", ""]),
        ("One.\nRaises: UsageError: as of `f`.", ["One.", "", ":raises ~ganvas.errors.UsageError: as of \\ ``f``\\ .", ""]),
        (
            "A.\n\nRaises:\n    UsageError, DataError: no, or\n        not.\n    OSError: of the disk.",
            [
                *("A.", ""),
                *(f":raises ~ganvas.errors.{name}: no, or not." for name in ("UsageError", "DataError")),
                *(":raises OSError: of the disk.", ""),
            ],
        ),
        ('train("x", minutes=1)\nmodel = load("y")', ["::", "", '    train("x", minutes=1)', '    model = load("y")', ""]),
        ("Of two:\n- one;\n- two.", ["Of two:", "", "- one;", "- two.", ""]),
    ],
)
def test_docstrings_become_restructuredtext(plain: str, lines: list[str], docstrings: dict[str, Any]) -> None:
    assert docstrings["rewrite"](plain) == lines


def test_fields_are_listed_with_their_comments(docstrings: dict[str, Any]) -> None:
    found = list(docstrings["list_fields"](ganvas.Recipe))
    assert "- ``minutes``: training time on the reference machine with 2 cores" in found
    assert not any("about" in line for line in found)  # it has none


class Links(HTMLParser):
    """The targets, the anchors and the loaded files of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if tag == "a" and "href" in given:
            self.targets.append(given["href"])
        if tag in ("script", "img", "iframe", "source") and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "shortcut icon"):
            self.loaded.append(given["href"])


def test_pages_are_mended_once() -> None:
    spec = importlib.util.spec_from_file_location("accessible_pages", DOCS / "accessible_pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plain = (
        '<p class="caption" role="heading"><span>Use</span></p><aside class="sidebar-drawer">\n<dl>\n'
        '<dd><em class="sig-param">a</em>,</dd>\n<dd><em class="sig-param">b</em></dd>\n</dl>\n<dl>\n<dt>c</dt>\n</dl>\n'
        '<th class="head"><p></p></th><div id="search-results"></div>'
    )
    mended = (
        '<p class="caption" role="heading" aria-level="2"><span>Use</span></p>'
        '<aside class="sidebar-drawer" aria-label="All pages">\n<ul class="sig-param-list">\n'
        '<li><em class="sig-param">a</em>,</li>\n<li><em class="sig-param">b</em></li>\n</ul>\n<dl>\n<dt>c</dt>\n</dl>\n'
        '<td class="head"></td><h1>Search</h1>\n<div id="search-results"></div>'
    )
    assert module.mend_page(plain) == mended
    assert module.mend_page(mended) == mended


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as the Makefile does it: any warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    how = ["-b", "html", "-W", "--keep-going", "-q", "-d", str(folder / "trees")]
    command = [sys.executable, "-m", "sphinx", "-c", str(DOCS), *how, str(ROOT), str(folder / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "site"


@pytest.mark.slow
def test_each_page_can_be_read_by_everybody(site: Path) -> None:
    """From the disk and without a network, on a desk and on a phone, light and dark."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs a browser")
    chromium = os.environ.get("GANVAS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine (apt-get install chromium, or GANVAS_CHROMIUM=PATH)")
    axe = gzip.decompress((ROOT / "tests" / "studio" / "axe.min.js.gz").read_bytes()).decode()
    unseen = "[...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)"
    look = f"[document.documentElement.scrollWidth, {unseen}]"
    judge = (
        "axe.run(document, {preload: false, resultTypes: ['violations']}).then((all) => all.violations.map((each) => each.id))"
    )
    of_each_kind = {"README", "docs/python", "docs/commands", "docs/augmentation", "docs/systems/spade", "search", "genindex"}
    wrong: list[Any] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True)
            for path in sorted(site.rglob("*.html")):
                page = path.relative_to(site).with_suffix("").as_posix()
                if page == "index":  # leads to the first page
                    continue
                tab.goto(path.as_uri())
                if page in of_each_kind:
                    tab.evaluate(axe)
                    wrong += [(width, page, each) for each in tab.evaluate(judge)]
                wide, broken = tab.evaluate(look)
                wrong += [(width, page, "is wide", wide)] if wide > width else []
                wrong += [(width, page, image) for image in broken]
        browser.close()
    assert wrong == []


@pytest.mark.slow
def test_the_site_builds_and_needs_no_network(site: Path) -> None:
    pages = {}
    for path in site.rglob("*.html"):
        pages[path] = Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    wrong = []
    for path, page in pages.items():
        for target in page.loaded + page.targets:
            if "://" in target or target.startswith(("mailto:", "data:")):
                wrong += [(path.name, target)] if target in page.loaded else []  # from a network
                continue
            name, _, anchor = target.partition("#")
            there = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
            if not there.exists() or (anchor and there in pages and unquote(anchor) not in pages[there].ids):
                wrong.append((path.name, target))
    assert wrong == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"@import|url\(\s*['\"]?https?:", styles)

    index = json.loads((site / "searchindex.js").read_text().removeprefix("Search.setIndex(").removesuffix(")"))
    objects = {f"{module}.{row[-1]}" if module else row[-1] for module, rows in index["objects"].items() for row in rows}
    assert {f"ganvas.{name}" for name in ganvas.__all__} <= objects
    assert {f"ganvas.editing.{name}" for name in ganvas.editing.__all__} <= objects
    assert {"docs/lessons/mode-collapse", "docs/systems/spade", "README", "CONTRIBUTING"} <= set(index["docnames"])
    assert "wasserstein" in index["terms"]


def test_no_help_has_a_star_that_the_page_of_commands_would_read_as_emphasis() -> None:
    """The page of all commands is made from their docstrings, as reStructuredText."""
    found = [
        path.name for path in sorted((ROOT / "ganvas" / "cli").glob("*.py")) for _, text in list_docstrings(path) if "*" in text
    ]
    assert found == []


def list_docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """The name and the docstring of each function of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name, ast.get_docstring(node) or ""
