"""The page /edit in a real browser: a digit is found, moved, painted on, undone, saved, and opened again; keys, a phone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from support import begin_untrained, faultless_tab

from ganvas.inference.model import load
from ganvas.inference.shipped_models import list_shipped

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
        begin_untrained(name, runs / run)


@pytest.fixture(scope="module")
def runs(studio: Any) -> Path:
    furnish(studio.runs)
    return Path(studio.runs)


@pytest.fixture(scope="module")
def only_tab(context: Any, runs: Path) -> Iterator[Any]:
    """One tab for all tests, so that its process loads its libraries once. Nothing may be thrown in it."""
    with faultless_tab(context) as made:
        made.set_default_timeout(40_000)
        made.goto(f"{context.base}/edit#model=digits&seed=3&label=4")
        made.wait_for_function(READY)
        yield made


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


def test_what_is_no_seed_changes_nothing(tab: Any) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    for text in ("-5", "4294967296", "1.5", ""):
        tab.fill("#seed", text)
        tab.evaluate("document.getElementById('toasts').replaceChildren()")
        tab.keyboard.press("Enter")
        tab.wait_for_function("document.getElementById('toasts').textContent.includes('from 0 to 4,294,967,295')")
        assert tab.input_value("#seed") == "3"
    assert tab.locator("#undo").is_disabled()


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
    assert "Stopped" not in tab.locator("#note").inner_text()
    found = str(tab.evaluate(SHOWN))
    tab.click("#paint")
    box = tab.locator("#sketch canvas").bounding_box()
    assert tab.locator("#apply").is_disabled()
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#sketch", state="hidden")
    assert tab.evaluate("document.activeElement.id") == "paint"
    tab.click("#paint")
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
    moved = add_direction(tab)
    tab.set_input_files("#intake input[type=file]", tmp_path / "edited.png")
    tab.wait_for_function(f"(painted) => {SHOWN} === painted && {STEPS} === 1", arg=painted)
    assert tab.input_value("#model") == "digits"
    assert tab.locator("#note").inner_text() == "Opened with its steps, in the model that made it."
    tab.click("#undo")  # back in the other model, with its step
    tab.wait_for_function(f"(moved) => {SHOWN} === moved && {STEPS} === 1", arg=moved)
    assert tab.input_value("#model") == "clothes"
    assert tab.locator("#drag-panel").is_visible()
    tab.click("#redo")
    tab.wait_for_function(f"(painted) => {SHOWN} === painted && {STEPS} === 1", arg=painted)
    assert tab.input_value("#model") == "digits"
    assert tab.locator("#drag-panel").is_hidden()
    with Image.open(tmp_path / "edited.png") as saved:
        info = PngInfo()
        for name, text in {**saved.info, "model": "0123456789ab"}.items():
            info.add_text(name, text)
        saved.save(tmp_path / "gone.png", pnginfo=info)
    open_model(tab, "model=clothes&seed=9")
    tab.set_input_files("#intake input[type=file]", tmp_path / "gone.png")
    says = "gone.png: another model made it, which is not in this list: cgan-mnist (0123456789ab); this model cannot open it"
    tab.wait_for_function("(says) => document.getElementById('problem').textContent === says", arg=says)
    assert tab.evaluate(STEPS) == 0


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


def test_it_says_at_once_that_a_model_is_loaded(tab: Any) -> None:
    first = """(fragment) => new Promise((resolve) => {
        const card = document.getElementById("card");
        new MutationObserver(() => resolve(card.textContent)).observe(card, { childList: true });
        location.hash = fragment;
    })"""
    assert tab.evaluate(first, "model=clothes&seed=2") == "Loading the model …"
    tab.wait_for_function("document.getElementById('card').textContent.startsWith('stylegan2-fashion · pictures of')")


def test_styles_of_another_seed(tab: Any) -> None:
    open_model(tab, "model=clothes&seed=1")
    assert tab.locator("#mix-part").is_visible()
    assert not tab.locator("#morph-part").is_visible()
    tab.fill("#mix-first", "1")
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


def stroke(tab: Any, start: tuple[float, float], end: tuple[float, float], canvas: str = "#sketch canvas") -> None:
    """Drag over a canvas, in shares of its sides."""
    box = tab.locator(canvas).bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    tab.mouse.move(*at[0])
    tab.mouse.down()
    tab.mouse.move(*at[1], steps=5)
    tab.mouse.up()


@pytest.fixture(scope="module")
def photo(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that the model makes: as class 2."""
    folder = tmp_path_factory.mktemp("photo") / "own"
    load(runs / "digits").save(folder, 1, seed=50_000, label=2)
    return next(folder.glob("*.png"))


def find(tab: Any, photo: Path) -> None:
    changed(tab, lambda: tab.set_input_files("#intake input[type=file]", photo))
    tab.wait_for_function("document.getElementById('note').textContent.includes('of 255 levels away')")


def test_an_error_stands_beside_its_floor(tab: Any, photo: Path) -> None:
    open_model(tab, "model=digits&seed=0&label=0")
    find(tab, photo)
    tab.wait_for_function("document.getElementById('floor-said').textContent.includes(\"The model's own samples: \")")
    assert tab.locator("#floor-said").inner_text().startswith("Error: ")
    assert "the pictures of its data are not here" in tab.locator("#floor-said").inner_text()
    assert tab.locator("#measure-floor").is_hidden()
    tab.click("#dice")
    tab.wait_for_selector("#floor-said", state="hidden")


def test_a_picture_is_searched_again_as_another_class(tab: Any, photo: Path) -> None:
    open_model(tab, "model=digits&seed=0&label=0")
    find(tab, photo)
    assert tab.input_value("#label") == "2"
    tab.select_option("#label", "5")
    tab.wait_for_function("document.getElementById('note').textContent.includes('as 5')")
    tab.wait_for_function(READY)
    assert tab.input_value("#seed") == ""  # still the picture
    tab.click("#undo")
    tab.wait_for_function("document.getElementById('note').textContent.includes('as 2')")


def test_a_hole_of_a_picture_is_filled_and_the_rest_keeps_its_bits(tab: Any, photo: Path) -> None:
    open_model(tab, "model=digits&seed=0&label=0")
    assert tab.locator("#fill-panel").is_hidden()  # there is no picture yet
    find(tab, photo)
    tab.click("#fill")
    stroke(tab, (0.3, 0.3), (0.7, 0.3))
    tab.click("#apply")
    tab.wait_for_function("document.getElementById('note').textContent.startsWith('Filled. Outside the hole')")
    tab.wait_for_function(READY)
    assert tab.get_attribute("[data-view=filled]", "aria-pressed") == "true"
    data, name = download(tab, lambda: tab.click("#save"))
    assert name == "digits-filled.png"
    with Image.open(io.BytesIO(data)) as saved, Image.open(photo) as own:
        same = np.asarray(saved) == np.asarray(own)
        assert json.loads(saved.info["edits"])["filled"] is True
    rows = np.arange(28) / 28
    assert same[(rows < 0.2) | (rows > 0.45)].all()
    tab.click("[data-view=result]")
    whole, _ = download(tab, lambda: tab.click("#save"))
    with Image.open(io.BytesIO(whole)) as saved:
        assert "filled" not in json.loads(saved.info["edits"])
    tab.click("#undo")
    tab.wait_for_function("document.querySelector('[data-view=filled]').hidden")


def test_a_filled_hole_is_told_with_its_own_picture(tab: Any, photo: Path) -> None:
    open_model(tab, "model=digits&seed=0&label=0")
    find(tab, photo)
    tab.evaluate("""() => { window.captions = []; window.watcher = new MutationObserver(() => {
        captions.push(document.getElementById("said").textContent);
    }); watcher.observe(document.getElementById("note"), { childList: true, characterData: true }); }""")
    tab.click("#fill")
    stroke(tab, (0.3, 0.3), (0.7, 0.3))
    tab.click("#apply")
    tab.wait_for_function("document.getElementById('note').textContent.startsWith('Filled.')")
    captions = tab.evaluate("() => { watcher.disconnect(); return captions; }")
    assert captions
    assert [caption for caption in captions if caption.startswith("Looking for")] == []
    assert tab.locator("[data-view=filled]").get_attribute("aria-pressed") == "true"


def test_it_is_told_that_a_filled_hole_is_a_new_beginning(tab: Any, photo: Path) -> None:
    open_model(tab, "model=digits&seed=0&label=0")
    find(tab, photo)
    moved = add_direction(tab)
    tab.click("#fill")
    stroke(tab, (0.3, 0.3), (0.7, 0.3))
    tab.click("#apply")
    tab.wait_for_function("document.getElementById('note').textContent.endsWith('undo brings them back.')")
    tab.wait_for_function(f"{STEPS} === 0 && {READY}")
    tab.click("#undo")
    tab.wait_for_function(f"(moved) => {SHOWN} === moved && {STEPS} === 1", arg=moved)


def test_nothing_else_changes_while_a_picture_is_searched_and_stop_keeps_the_best(tab: Any) -> None:
    open_model(tab, "model=clothes&seed=1")
    add_direction(tab)
    tab.evaluate("""() => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
        canvas.getContext("2d").fillRect(9, 5, 20, 40);
        canvas.toBlob((blob) => {
            const data = new DataTransfer();
            data.items.add(new File([blob], "block.png", { type: "image/png" }));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        });
    }""")
    tab.wait_for_function("document.getElementById('said').textContent.startsWith('Looking for block.png: step')")
    assert tab.evaluate("[...document.querySelectorAll('#work > .pane')].every((pane) => pane.inert)")
    assert tab.locator("#undo").is_disabled()
    tab.keyboard.press("Control+z")
    assert tab.evaluate(STEPS) == 1
    tab.click("#stop")
    tab.wait_for_function("document.getElementById('note').textContent.startsWith('The nearest that the model makes')")
    tab.wait_for_function(READY)
    assert tab.locator("#note").inner_text().endswith(" away. Stopped before its end: this is the best so far.")
    assert tab.evaluate("document.activeElement.id") == "result"
    assert tab.locator("#measure-floor").is_visible()  # with styles a search takes long: a person asks for it


def test_every_job_tells_that_it_was_stopped(tab: Any) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    told = tab.evaluate("""async () => {
        const { Jobs } = await import("./static/edit/jobs.js");
        const { CancelledError } = await import("./static/common/tasks.js");
        const answer = { facts: { error: 9, origin: {}, step: {}, tuned: "copy" }, arrays: {} };
        const told = [];
        const tasks = { start: (name) => ({ done: name === "found" ? answer : Promise.reject(new CancelledError("")) }) };
        const jobs = new Jobs({
            tasks, facts: () => ({}), busy() {}, fail(wrong) { throw wrong; }, stage: {},
            change: ({ words }) => told.push(words), addStep: (_, words) => told.push(words),
        });
        await jobs.find("a", {});
        await jobs.fill([], [], "a");
        await jobs.tune();
        await jobs.brush([]);
        return told;
    }""")
    assert len(told) == 4
    assert [words for words in told if not words.endswith(". Stopped before its end: this is the best so far.")] == []


def test_another_model_takes_the_place_of_a_search(tab: Any, photo: Path) -> None:
    open_model(tab, "model=clothes&seed=1")
    tab.set_input_files("#intake input[type=file]", photo)
    tab.wait_for_function("document.getElementById('said').textContent.startsWith('Looking for')")
    tab.select_option("#model", "digits")
    tab.wait_for_function("document.getElementById('note').textContent.includes('as 2')")  # the same picture
    tab.wait_for_function(READY)
    assert tab.locator("#problem").is_hidden()


def test_undo_brings_back_the_model_before_another_was_chosen(tab: Any) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    moved = add_direction(tab)
    changed(tab, lambda: tab.select_option("#model", "clothes"))
    tab.click("#undo")
    tab.wait_for_function(f"(moved) => {SHOWN} === moved && {STEPS} === 1", arg=moved)
    assert (tab.input_value("#model"), tab.input_value("#seed"), tab.input_value("#label")) == ("digits", "3", "4")
    tab.click("#redo")
    tab.wait_for_function(f"{STEPS} === 0 && {READY} && document.getElementById('model').value === 'clothes'")


def test_sums_of_seeds_and_single_layers(tab: Any) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    first = str(tab.evaluate(SHOWN))
    tab.fill("#sum-plus", "a cat")
    tab.click("#add-sum")
    tab.wait_for_function("document.getElementById('toasts').textContent.includes('expected seeds such as')")
    assert tab.evaluate(STEPS) == 0
    tab.fill("#sum-plus", "8:1-3")
    tab.fill("#sum-minus", "4:1-3")
    summed = changed(tab, lambda: tab.click("#add-sum"))
    assert "+ 8:1-3 - 4:1-3" in tab.locator("#steps").inner_text()
    open_model(tab, "model=digits&seed=3&label=8")
    assert tab.evaluate(SHOWN) == summed != first
    open_model(tab, "model=clothes&seed=1")
    tab.fill("#mix-seed", "5")
    tab.fill("#mix-first", "2")
    tab.fill("#mix-last", "2")
    changed(tab, lambda: tab.click("#add-mix"))
    assert "styles of seed 5, layer 2" in tab.locator("#steps").inner_text()


def test_a_link_brings_steps_and_says_what_it_cannot(tab: Any) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    moved = add_direction(tab)
    steps = json.dumps([{"kind": "move", "name": "sefa:0", "amount": 2}])
    link = f"model=digits&seed=3&label=4&steps={steps}&lost=psi,plane"
    tab.evaluate("(link) => { history.replaceState(null, '', '#'); location.hash = link; }", link)
    tab.wait_for_function("document.getElementById('note').textContent.startsWith('Taken over without: truncation')")
    tab.wait_for_function(f"(moved) => {SHOWN} === moved && {STEPS} === 1", arg=moved)
    tab.evaluate("location.hash = 'model=digits&seed=3&steps=5'")
    tab.wait_for_function("document.getElementById('toasts').textContent.includes('The link: its steps are damaged')")


def test_a_file_with_damaged_steps_changes_nothing(tab: Any, tmp_path: Path) -> None:
    open_model(tab, "model=digits&seed=3&label=4")
    before = tab.locator("#said").inner_text()
    cases = (
        "{",
        '{"origin": null, "steps": []}',
        '{"origin": {"seed": 1}, "steps": 5}',
        '{"origin": {"seed": -1}, "steps": []}',
    )
    for number, edits in enumerate(cases):
        info = PngInfo()
        info.add_text("edits", edits)
        path = tmp_path / f"damaged{number}.png"
        Image.new("L", (28, 28)).save(path, pnginfo=info)
        tab.evaluate("document.getElementById('problem').textContent = ''")
        tab.set_input_files("#intake input[type=file]", path)
        tab.wait_for_function("document.getElementById('problem').textContent.match(/damaged|expected/)")
    assert tab.locator("#said").inner_text() == before
    assert tab.locator("#undo").is_disabled()


def test_the_steps_are_a_sheet_on_a_phone(tab: Any) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    open_model(tab, "model=digits&seed=1")
    tab.wait_for_function("!document.getElementById('add-morph').checkVisibility({ visibilityProperty: true })")
    tab.click("#sheet-toggle")
    tab.wait_for_function("document.getElementById('add-morph').checkVisibility({ visibilityProperty: true })")
    assert tab.get_attribute("#sheet-toggle", "aria-expanded") == "true"
    tab.wait_for_timeout(400)
    picture, sheet = (tab.locator(name).bounding_box() for name in ("#result", "#sheet-toggle"))
    assert picture["y"] > 60  # what the steps change is seen as a whole, between the bar and the sheet
    assert picture["y"] + picture["height"] <= sheet["y"]
    tab.keyboard.press("Escape")
    tab.wait_for_function("!document.getElementById('add-morph').checkVisibility({ visibilityProperty: true })")


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


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_picture_of_clothes_goes_the_whole_way(context: Any, runs: Path, tmp_path: Path) -> None:
    """With the model that comes with ganvas: found, moved, filled, dragged, undone, redone, saved, opened on a fresh page."""
    model = load(next(each.path for each in list_shipped() if each.name == "stylegan2-fashion"))
    with Image.fromarray(model.sample(1, seed=50_003)[0, ..., 0]) as sample:
        sample.resize((90, 90), Image.Resampling.LANCZOS).save(tmp_path / "clothes.png")
    note = "document.getElementById('note').textContent"
    done = f"{READY} && /, [01] steps? ·/.test(document.getElementById('said').textContent)"  # and no search is said

    def open_tab() -> Any:
        made = context.new_page()
        made.set_default_timeout(900_000)
        made.on("pageerror", lambda error: errors.append(str(error)))
        made.set_viewport_size({"width": 1280, "height": 720})
        made.goto(f"{context.base}/edit#model=stylegan2-fashion&seed=7")
        made.wait_for_function(f"{READY} && document.getElementById('said').textContent.startsWith('seed 7, 0 steps')")
        return made

    errors: list[str] = []
    tab = open_tab()
    shown = [str(tab.evaluate(SHOWN))]  # after each change
    shown += [changed(tab, lambda: tab.set_input_files("#intake input[type=file]", tmp_path / "clothes.png"))]
    tab.wait_for_function(f"{note}.startsWith('The nearest that the model makes') && {done}")
    shown[-1] = str(tab.evaluate(SHOWN))
    error = float(tab.evaluate(note).partition("makes: ")[2].partition(" of 255")[0])
    assert error < 12, error  # a picture of the model itself, but resized
    shown += [add_direction(tab)]
    tab.click("#fill")
    stroke(tab, (0.4, 0.5), (0.6, 0.5))
    tab.click("#apply")
    tab.wait_for_function(f"{note}.startsWith('Filled. Outside the hole') && {done}")
    tab.click("[data-view=result]")
    shown += [str(tab.evaluate(SHOWN))]
    tab.click("#drag")
    stroke(tab, (0.5, 0.5), (0.5, 0.42), "#marks")
    tab.click("#drag-go")
    tab.wait_for_function(f"{note}.startsWith('Drag, ') && {STEPS} === 1 && {done}")
    shown += [str(tab.evaluate(SHOWN))]
    assert len(set(shown)) == 5
    for before in reversed(shown[:-1]):
        tab.click("#undo")
        tab.wait_for_function(f"(before) => {SHOWN} === before && {READY}", arg=before)
    assert tab.locator("#undo").is_disabled()
    saved = {}
    for number, (after, kind) in enumerate(zip(shown[1:], (None, "move", None, "shift"), strict=True)):
        tab.click("#redo")
        tab.wait_for_function(f"(after) => {SHOWN} === after && {READY}", arg=after)
        if kind is None:
            continue
        data, _ = download(tab, lambda: tab.click("#save"))
        (tmp_path / f"{number}.png").write_bytes(data)
        with Image.open(io.BytesIO(data)) as image:
            assert [step["kind"] for step in json.loads(image.info["edits"])["steps"]] == [kind]
        saved[tmp_path / f"{number}.png"] = (after, tab.locator("#steps").inner_text())
    assert tab.locator("#redo").is_disabled()
    tab.close()
    fresh = open_tab()
    for path, (after, steps) in saved.items():
        fresh.set_input_files("#intake input[type=file]", path)
        fresh.wait_for_function(f"(after) => {SHOWN} === after && {READY}", arg=after)
        assert fresh.locator("#steps").inner_text() == steps
        assert fresh.locator("#note").inner_text() == "Opened with its steps."
    fresh.close()
    assert errors == []
