"""From page to page in a real browser: a look of Explore goes on in Edit; pictures of Explore and Translate, in Animate too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import translate_models
from support import begin_untrained, faultless_tab

pytestmark = pytest.mark.timeout(900)
MODELS = {"digits": "cgan-mnist", "clothes": "stylegan2-fashion", "mover": "motion-emoji"}
SEEN = "document.getElementById('veil').hidden"
FOUND = "document.getElementById('note').textContent.startsWith('The nearest that the model makes')"


def furnish(runs: Path) -> None:
    """Models that have not learned: digits by class, clothes with styles, one that animates, and some that translate."""
    translate_models.furnish(runs)
    shutil.rmtree(runs / "noise")  # its classes have no names
    for run, name in MODELS.items():
        begin_untrained(name, runs / run)


@pytest.fixture(scope="module")
def tab(context: Any, studio: Any) -> Iterator[Any]:
    """One tab for all tests. Nothing may be thrown in it."""
    furnish(Path(studio.runs))
    with faultless_tab(context) as made:
        yield made


def open_page(tab: Any, base: str, path: str) -> None:
    tab.goto("about:blank")  # or a page whose hash alone is another would not be loaded again
    tab.goto(f"{base}{path}")
    tab.wait_for_function(SEEN)


@pytest.mark.parametrize(
    ("model", "look", "says"),
    [
        ("digits", {"seed": 5, "label": 4, "moves": {"sefa:0": 1.5}}, ["sefa:0"]),
        ("clothes", {"seed": 5, "mix": 7, "layers": [1], "psi": 0.5}, ["styles of seed 7, layer 2"]),
        pytest.param("clothes", {"seed": 5, "mix": 7, "cut": 2}, ["styles of seed 7, from layer 3"], marks=pytest.mark.slow),
    ],
)
def test_a_look_goes_on_in_edit(tab: Any, context: Any, model: str, look: dict[str, Any], says: list[str]) -> None:
    open_page(tab, context.base, f"/explore#model={model}&look={json.dumps(look)}")
    shown = "() => document.getElementById('picture').getContext('2d').getImageData(0, 0, 28, 28).data.join()"
    tab.wait_for_function("!document.getElementById('picture').hasAttribute('aria-busy')")
    explored = tab.evaluate(shown)
    tab.click("#links [data-page=edit]")
    tab.wait_for_url("**/edit#**")
    tab.wait_for_function(f"document.getElementById('film')?.children.length === 2 && {SEEN}")
    assert tab.input_value("#seed") == "5"
    steps = tab.locator("#steps").inner_text()
    assert all(each in steps for each in says)
    if "psi" in look:
        assert tab.locator("#note").inner_text() == "Taken over without: truncation."
        return
    with tab.expect_download() as given:
        tab.click("#save")
    saved = """async (data) => {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(data)]));
        const context = new OffscreenCanvas(28, 28).getContext("2d");
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, 28, 28).data.join();
    }"""
    edited = tab.evaluate(saved, list(Path(given.value.path()).read_bytes()))
    apart = [abs(int(a) - int(b)) for a, b in zip(explored.split(","), edited.split(","), strict=True)]
    assert max(apart) <= 1  # a picture of Explore is made as fast as possible


def test_a_picture_of_explore_is_animated(tab: Any, context: Any) -> None:
    open_page(tab, context.base, "/explore#model=digits")
    tab.click("#animate")
    tab.wait_for_url("**/animate#picture=*")
    tab.wait_for_function(f"{SEEN} && !document.querySelector('.save:disabled')")
    assert tab.input_value("#model") == "mover"


@pytest.mark.parametrize(("label", "url", "ready"), [("Edit it", "edit", FOUND), ("Animate it", "animate", SEEN)])
def test_a_result_of_translate_is_edited_and_animated(tab: Any, context: Any, label: str, url: str, ready: str) -> None:
    open_page(tab, context.base, "/translate#model=shader")
    tab.click("#hand")
    tab.click(f"#hand-list >> text={label}")
    tab.wait_for_url(f"**/{url}#picture=*")
    tab.wait_for_function(ready)
