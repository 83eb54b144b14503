"""The page /edit in a real browser: a digit is found, moved, painted on, undone, saved, and opened again; keys, a phone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import PLAN, miniature

from ganvas.engine.autotune import initial_state
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.utils.settings import to_dict

pytestmark = pytest.mark.timeout(900)
SHOWN = "document.getElementById('result').toDataURL()"
READY = "document.getElementById('veil').hidden && document.getElementById('stop').hidden"
STEPS = "document.querySelectorAll('#steps > li').length"
CUT = """() => [...document.querySelectorAll(".stage .view, .stage .whole, .stage .caption, .stage .controls, .film")]
    .filter((each) => each.checkVisibility())
    .filter((each) => { const box = each.getBoundingClientRect(); return box.bottom > innerHeight || box.right > innerWidth; })
    .map((each) => each.className || each.id)"""


def furnish(runs: Path) -> None:
    """Two models that have not learned: digits by class, and clothes with styles."""
    for run, name in (("digits", "cgan-mnist"), ("clothes", "stylegan2-fashion")):
        recipe, data = miniature(name)
        recipe = replace(recipe, data=replace(recipe.data, source="not-here"))
        (runs / run).mkdir()
        card = {"recipe": to_dict(recipe), "classes": list(data.classes), "items": 0}
        model_file.save(runs / run / "model.safetensors", initial_state(recipe, PLAN).average, card)
        (runs / run / "recipe.json").write_text(json.dumps(to_dict(recipe)))


@pytest.fixture(scope="module")
def runs(studio: Any) -> Path:
    furnish(studio.runs)
    return Path(studio.runs)


@pytest.fixture(scope="module")
def only_tab(context: Any, runs: Path) -> Iterator[Any]:
    """One tab for all tests, so that its process loads its libraries once. Nothing may be thrown in it."""
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.set_default_timeout(40_000)
    made.goto(f"{context.base}/edit#model=digits&seed=3&label=4")
    made.wait_for_function(READY)
    yield made
    made.close()
    assert errors == []


@pytest.fixture
def tab(only_tab: Any) -> Any:
    only_tab.set_viewport_size({"width": 1280, "height": 720})
    return only_tab


def open_model(tab: Any, fragment: str) -> None:
    tab.evaluate("(fragment) => { history.replaceState(null, '', '#'); location.hash = fragment; }", fragment)
    tab.wait_for_function("(name) => document.getElementById('model').value === name", arg=fragment.split("&")[0][6:])
    tab.wait_for_function(f"{STEPS} === 0 && {READY}")
    tab.wait_for_function("document.getElementById('said').textContent.includes(', 0 steps')")


def changed(tab: Any, do: Any) -> str:
    """The result after `do`, which must differ from the one before."""
    before = tab.evaluate(SHOWN)
    do()
    tab.wait_for_function(f"(before) => {SHOWN} !== before && {READY}", arg=before)
    return str(tab.evaluate(SHOWN))


def add_direction(tab: Any) -> str:
    tab.wait_for_function("document.querySelector('#ways canvas').width > 1")
    return changed(tab, lambda: tab.locator("#ways [data-side=high]").first.click())


def download(tab: Any, do: Any) -> tuple[bytes, str]:
    with tab.expect_download() as given:
        do()
    return Path(given.value.path()).read_bytes(), given.value.suggested_filename


def test_it_begins_with_a_seed(tab: Any, runs: Path) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    data, name = download(tab, lambda: tab.click("#save"))
    assert name == "digits-edited.png"
    own = load(runs / "digits").sample(1, seed=3, label=4)
    with Image.open(io.BytesIO(data)) as saved:
        assert np.array_equal(np.asarray(saved), own[0, ..., 0])
        assert json.loads(saved.info["edits"]) == {"origin": {"seed": 3, "label": 4}, "steps": []}
        assert saved.info["model"] == load(runs / "digits").identity


def test_steps_move_switch_off_and_undo(tab: Any) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    first = str(tab.evaluate(SHOWN))
    moved = add_direction(tab)
    tab.select_option("#morph", "7")
    morphed = changed(tab, lambda: tab.click("#add-morph"))
    assert tab.evaluate(STEPS) == 2
    assert tab.locator("#film li").count() == 3
    assert changed(tab, lambda: tab.uncheck("[data-step-on='1']")) == moved
    assert changed(tab, lambda: tab.check("[data-step-on='1']")) == morphed
    assert changed(tab, lambda: tab.locator("[data-step-amount='1']").fill("0")) == moved
    assert changed(tab, lambda: tab.keyboard.press("Control+z")) == morphed
    tab.click("#undo")
    tab.click("#undo")
    tab.wait_for_function(f"{STEPS} === 2")
    for _ in range(2):
        tab.click("#undo")
    tab.wait_for_function(f"(first) => {SHOWN} === first && {STEPS} === 0", arg=first)
    assert tab.locator("#undo").is_disabled()
    tab.click("#redo")
    tab.wait_for_function(f"(moved) => {SHOWN} === moved", arg=moved)


def test_a_digit_is_found_painted_on_saved_and_opened_again(tab: Any, runs: Path, tmp_path: Path) -> None:
    open_model(tab, "model=digits&seed=0&label=0")
    load(runs / "digits").save(tmp_path / "own", 1, seed=50_000, label=2)
    own = next((tmp_path / "own").glob("*.png"))
    changed(tab, lambda: tab.set_input_files("#intake input[type=file]", own))
    tab.wait_for_function("document.getElementById('note').textContent.includes('of 255 levels away; as 2')")
    found = str(tab.evaluate(SHOWN))
    tab.click("#paint")
    box = tab.locator("#sketch canvas").bounding_box()
    assert tab.locator("#apply").is_disabled()
    tab.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    tab.mouse.up()
    painted = changed(tab, lambda: tab.click("#apply"))
    assert tab.evaluate(STEPS) == 1
    data, _ = download(tab, lambda: tab.click("#save"))
    (tmp_path / "edited.png").write_bytes(data)
    with Image.open(io.BytesIO(data)) as saved:
        edits = json.loads(saved.info["edits"])
    assert [step["name"] for step in edits["steps"]] == ["brush"]
    assert edits["origin"]["label"] == 2
    tab.click("#undo")
    tab.wait_for_function(f"(found) => {SHOWN} === found", arg=found)
    open_model(tab, "model=digits&seed=9&label=9")
    tab.set_input_files("#intake input[type=file]", tmp_path / "edited.png")
    tab.wait_for_function(f"(painted) => {SHOWN} === painted && {STEPS} === 1", arg=painted)
    assert tab.locator("#note").inner_text() == "Opened with its steps."
    open_model(tab, "model=clothes&seed=9")
    tab.set_input_files("#intake input[type=file]", tmp_path / "edited.png")
    tab.wait_for_function("document.getElementById('problem').textContent.includes('another model')")
    assert "another model made it" in tab.locator("#note").inner_text() or tab.locator("#problem").is_visible()


def test_a_copy_is_tuned_to_the_picture(tab: Any, runs: Path, tmp_path: Path) -> None:
    before = load(runs / "digits").identity
    open_model(tab, "model=digits&seed=0&label=0")
    with Image.open(io.BytesIO(download(tab, lambda: tab.click("#save"))[0])) as own:
        Image.fromarray(255 - np.asarray(own)).save(tmp_path / "negative.png")
    changed(tab, lambda: tab.set_input_files("#intake input[type=file]", tmp_path / "negative.png"))
    changed(tab, lambda: tab.click("#tune"))
    tab.wait_for_function("document.getElementById('note').textContent.startsWith('A copy of the model was tuned')")
    changed(tab, lambda: tab.click("#undo"))
    assert load(runs / "digits").identity == before


def test_styles_of_another_seed(tab: Any) -> None:
    open_model(tab, "model=clothes&seed=1")
    assert tab.locator("#mix-part").is_visible()
    assert not tab.locator("#morph-part").is_visible()
    tab.fill("#mix-first", "0")
    tab.fill("#mix-seed", "5")
    mixed = changed(tab, lambda: tab.click("#add-mix"))
    open_model(tab, "model=clothes&seed=5")
    assert tab.evaluate(SHOWN) == mixed


def test_points_are_dragged_by_pointer_and_by_numbers(tab: Any) -> None:
    open_model(tab, "model=clothes&seed=1")
    before = tab.evaluate(SHOWN)
    tab.click("#drag")
    box = tab.locator("#marks").bounding_box()
    tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    tab.mouse.up()
    assert [field.input_value() for field in tab.locator("#pairs input").all()] == ["13.5", "13.5", "13.5", "10.7"]
    tab.click("#add-points")
    tab.get_by_label("Point 2: to x").fill("40")  # beyond the picture
    tab.keyboard.press("Tab")
    assert tab.get_by_label("Point 2: to x").input_value() == "27"
    tab.get_by_label("Remove point 2").click()
    tab.click("#drag-go")
    tab.wait_for_function("document.getElementById('note').textContent.startsWith('Drag, ')")
    tab.wait_for_function(f"{STEPS} === 1 && {READY}")
    assert tab.locator("#steps").inner_text().startswith("drag")
    tab.click("#undo")
    tab.wait_for_function(f"(before) => {SHOWN} === before", arg=before)
    open_model(tab, "model=digits&seed=1")
    assert tab.locator("#drag-panel").is_hidden()  # it has no styles


def test_the_divider_and_a_name_for_a_direction(tab: Any) -> None:
    open_model(tab, "model=clothes&seed=1")
    add_direction(tab)
    tab.click("[data-view=compare]")
    assert tab.locator("#result").get_attribute("role") == "slider"
    tab.click("[data-view=result]")
    name = tab.locator("#ways input").first
    name.fill("longer sleeves")
    name.press("Tab")
    open_model(tab, "model=digits&seed=1")
    open_model(tab, "model=clothes&seed=1")
    assert tab.locator("#ways input").first.input_value() == "longer sleeves"


def test_problems_are_one_line(tab: Any, tmp_path: Path) -> None:
    open_model(tab, "model=digits&seed=1")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    tab.set_input_files("#intake input[type=file]", tmp_path / "broken.png")
    tab.wait_for_function("document.querySelector('#intake [role=status]').textContent.includes('cannot read')")
    tab.evaluate("history.replaceState(null, '', '#'); location.hash = 'model=nowhere'")
    tab.wait_for_function("document.getElementById('problem').textContent.includes('no model “nowhere”')")
    open_model(tab, "model=digits&seed=1")
    assert tab.locator("#problem").is_hidden()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900)])
def test_all_of_the_stage_is_on_the_first_screen(width: int, height: int, tab: Any) -> None:
    tab.set_viewport_size({"width": width, "height": height})
    open_model(tab, "model=digits&seed=1")
    assert tab.evaluate(CUT) == []
    assert tab.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_phone_needs_no_sideways_scrolling(tab: Any) -> None:
    tab.set_viewport_size({"width": 375, "height": 740})
    open_model(tab, "model=digits&seed=1")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 375
    assert tab.locator("#result").bounding_box()["y"] < 400
