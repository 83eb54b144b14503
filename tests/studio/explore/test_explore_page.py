"""The page /explore in a real browser: seeds, directions, the plane, a walk, favourites, the link."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from support import miniature

from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.utils.settings import to_dict

pytestmark = pytest.mark.timeout(900)
CLASSES = "stylegan2-fashion-conditional"
HOSTILE = "<img src=x onerror=window.hurt=1>"
READY = "!document.getElementById('explore').hidden && document.getElementById('pad').width > 60"
SETTLED = "!document.getElementById('picture').hasAttribute('aria-busy')"
PIXELS = "document.getElementById('picture').toDataURL()"


@pytest.fixture(scope="module")
def models(studio: Any) -> Path:
    """Untrained miniatures, one with hostile names of classes, one that draws nothing."""
    for name, recipe_name in (
        ("digits", "cgan-mnist"),
        ("styled", "stylegan2-fashion"),
        ("asked", CLASSES),
        ("names", "textlm-names"),
        ("sorter", "classifier-mnist"),
    ):
        recipe, data = miniature(recipe_name)
        torch.manual_seed(3)
        (studio.runs / name).mkdir()
        card = {"recipe": to_dict(recipe), "items": 0, "classes": [HOSTILE, *data.classes[1:]]}
        model_file.save(studio.runs / name / "model.safetensors", build(recipe).eval(), card)
        (studio.runs / name / "recipe.json").write_text(json.dumps(to_dict(recipe)))
    return Path(studio.runs)


@pytest.fixture
def tab(page: Any, context: Any, models: Path) -> Any:
    page.set_default_timeout(240_000)
    page.goto(f"{context.base}/explore#model=digits")
    page.wait_for_function(READY)
    page.wait_for_function("document.getElementById('picture').width === 28")
    return page


def drag(tab: Any, place: str, right: float, down: float) -> None:
    """Drag from the middle of an element."""
    box = tab.locator(place).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + right, y + down)
    tab.mouse.up()


def changed(tab: Any, do: Any) -> str:
    """The picture after `do`, which must differ from the one before."""
    tab.wait_for_function(SETTLED)  # a picture still on its way is not the one before
    before = tab.evaluate(PIXELS)
    do()
    tab.wait_for_function("(before) => document.getElementById('picture').toDataURL() !== before", arg=before)
    tab.wait_for_function(SETTLED)
    return str(tab.evaluate(PIXELS))


def test_every_control_gives_another_picture_and_undo_the_first(tab: Any) -> None:
    first = tab.evaluate(PIXELS)
    changed(tab, lambda: tab.click("#dice"))
    tab.focus("#undo")
    changed(tab, lambda: tab.keyboard.press("Enter"))
    assert tab.evaluate("document.activeElement.id") == "redo"  # as there is nothing more to undo
    assert tab.evaluate(PIXELS) == first
    tab.focus("#pad")
    changed(tab, lambda: tab.keyboard.press("ArrowRight"))
    assert "seed 1" in tab.inner_text("#said")
    changed(tab, lambda: tab.click("[data-class='4']"))
    assert tab.get_attribute("[data-class='4']", "aria-pressed") == "true"
    tab.focus("#f-moves-sefa-0")
    changed(tab, lambda: tab.keyboard.press("End"))
    tab.focus("#plane")
    changed(tab, lambda: tab.keyboard.press("ArrowUp"))
    box = tab.locator("#plane").bounding_box()
    changed(tab, lambda: tab.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"]))
    changed(tab, lambda: drag(tab, "#picture", -60, 30))
    shown, link = tab.evaluate(PIXELS), tab.evaluate("location.href")
    tab.goto("about:blank")
    tab.goto(link)  # the whole look is in the link
    tab.wait_for_function("(before) => document.getElementById('picture').toDataURL() === before", arg=shown)


def test_the_pad_shows_where_the_look_is(tab: Any) -> None:
    orange = """() => {
        const pad = document.getElementById("pad"), { data } = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i] === 255 && data[i + 1] === 138 && data[i + 2] === 0) count++;
        return count;
    }"""
    one = f"(count) => ({orange})() === count"
    tab.wait_for_function(f"({orange})() > 0")
    frame = tab.evaluate(orange)
    tab.focus("#pad")
    changed(tab, lambda: tab.keyboard.press("ArrowRight"))
    changed(tab, lambda: tab.keyboard.press("ArrowDown"))
    changed(tab, lambda: tab.keyboard.press("u"))
    tab.wait_for_function(one, arg=frame)  # one frame: quick steps are one change
    changed(tab, lambda: tab.click("#dice"))
    changed(tab, lambda: tab.keyboard.press("u"))
    tab.wait_for_selector("#pad[aria-label^='Seeds 0 to 24, 0 is chosen']")
    tab.wait_for_function(one, arg=frame)


def test_what_is_nearest_goes_with_its_picture(tab: Any) -> None:
    tab.click("#nearest")
    tab.wait_for_selector("#relatives:not([hidden])")
    assert "grey levels apart" in tab.inner_text("#distances")
    changed(tab, lambda: tab.click("#dice"))
    assert tab.is_hidden("#relatives")
    assert tab.inner_text("#distances") == ""


def test_the_address_is_followed_and_what_it_cannot_mean_is_a_line(tab: Any) -> None:
    tab.evaluate("location.hash = '#model=styled&look=' + encodeURIComponent('{\"seed\": 12}')")
    tab.wait_for_function("document.getElementById('said').textContent.startsWith('seed 12')")
    assert tab.locator("#model").input_value() == "styled"
    assert "direction 1" in tab.inner_text("#directions")
    assert "sefa:" not in tab.inner_text("#explore")
    tab.evaluate("location.hash = '#model=nowhere'")
    tab.wait_for_selector("#problem:has-text('no model “nowhere”')")
    assert tab.is_hidden("#explore")
    tab.evaluate("location.hash = '#model=digits&look=' + encodeURIComponent('{\"label\": 77}')")
    tab.wait_for_selector(".toast.error:has-text('cannot be made')")
    tab.wait_for_function(READY)
    assert tab.locator("#model").input_value() == "digits"
    assert tab.inner_text("#said").startswith("seed 0")


def test_the_last_seed_is_shown_and_what_is_no_seed_is_a_line(tab: Any) -> None:
    last = 2**32 - 1
    tab.fill("#seed", str(last))
    changed(tab, lambda: tab.locator("#seed").dispatch_event("change"))
    tab.wait_for_selector(f"#pad[aria-label^='Seeds {last - 24} to {last}, {last} is chosen']")
    assert tab.is_hidden("#problem")
    for field, wrong, old in (("seed", "-3", str(last - 24)), ("right-seed", "1.5", "1")):
        tab.locator(f"#{field}").evaluate("(input, text) => { input.value = text; }", wrong)
        tab.locator(f"#{field}").dispatch_event("change")
        assert tab.locator(f"#{field}").input_value() == old
    assert tab.locator(".toast.error").count() == 2
    assert "expected a whole number from 0 to 4,294,967,295" in tab.locator(".toast.error").first.inner_text()


def test_names_of_classes_are_text(tab: Any) -> None:
    assert HOSTILE in tab.inner_text("#class-buttons")
    assert HOSTILE in tab.inner_text("#said")
    assert tab.evaluate("window.hurt") is None


def test_what_is_saved_says_where_it_is_from(tab: Any) -> None:
    with tab.expect_download() as caught:
        tab.click("#save")
    assert caught.value.suggested_filename.startswith("digits-seed0-class-")
    with Image.open(io.BytesIO(Path(caught.value.path()).read_bytes())) as image:
        assert image.info["seeds"] == "0"
        assert image.info["model"] in tab.inner_text("#card")


def test_a_walk_is_filmed_and_a_favourite_kept(tab: Any) -> None:
    for _ in range(2):
        tab.click("#frame-it")
        changed(tab, lambda: tab.click("#dice"))
    tab.focus("[aria-label='Move keyframe 2 earlier']")
    tab.keyboard.press("Enter")  # the list is made anew, and the focus stays in it
    assert tab.evaluate("document.activeElement.closest('#keys') !== null")
    tab.fill("#frames", "6")
    tab.click("#film")
    tab.wait_for_function("document.getElementById('movie').naturalWidth > 0")
    tab.click("#keep")
    tab.wait_for_selector("#stars li")
    tab.reload()
    tab.wait_for_selector("#stars li")


def test_only_models_that_draw_are_listed(tab: Any) -> None:
    listed = tab.locator("#model option").evaluate_all("options => options.map(({ value }) => value)")
    assert {"digits", "styled", "asked", "names"} <= set(listed)
    assert "sorter" not in listed
    assert "Not shown: sorter (it generates nothing)." in tab.inner_text("#absent")
    tab.goto(tab.url.partition("#")[0] + "#model=sorter")
    tab.wait_for_function("document.getElementById('problem').textContent.includes('sorter is not shown here')")


def test_controls_appear_by_what_the_model_can(tab: Any) -> None:
    assert tab.locator("#mixing").is_hidden()
    tab.select_option("#model", "styled")
    tab.wait_for_selector("#mixing:not([hidden])")
    assert tab.locator("#classes").is_hidden()
    assert tab.locator("#f-psi-").count() == 1
    changed(tab, lambda: tab.check("#mix"))
    changed(tab, lambda: tab.click("[data-layers=early]"))
    assert tab.is_checked("#layers input >> nth=0")
    assert not tab.is_checked("#layers input >> nth=-1")
    assert "in layers 1" in tab.inner_text("#said")
    tab.check("#noise")
    tab.wait_for_function("document.getElementById('said').textContent.includes('noise 0')")
    tab.select_option("#model", "names")  # a model of text: its lines, also for who cannot see them
    tab.wait_for_function("document.getElementById('picture').getAttribute('aria-label').startsWith('Lines: ')")
    assert tab.locator("#pad").is_hidden()
    assert tab.locator("#frame-it").is_hidden()


def test_a_slider_leads_from_class_to_class_and_is_in_the_link(tab: Any) -> None:
    assert tab.locator("#between").is_hidden()
    tab.select_option("#model", "asked")
    tab.wait_for_selector("#between:not([hidden])")
    tab.select_option("#towards", "7")
    tab.click("#pair")
    assert tab.evaluate("document.activeElement.dataset.name") == f"class:7-{tab.input_value('#away')}"
    changed(tab, lambda: tab.keyboard.press("End"))
    shown, link = tab.evaluate(PIXELS), tab.evaluate("location.href")
    tab.goto("about:blank")
    tab.goto(link)
    tab.wait_for_function("(before) => document.getElementById('picture').toDataURL() === before", arg=shown)
    assert tab.locator("#pairs input[type=range]").input_value() == "4"


def test_the_nearest_training_pictures_are_looked_up(tab: Any) -> None:
    tab.click("#nearest")
    tab.wait_for_function("!document.getElementById('nearest').disabled")
    assert "grey levels apart" in tab.inner_text("#distances")
    assert tab.evaluate("document.getElementById('relatives').width") > 5 * 28


def test_directions_show_their_ends_and_the_plane_its_pictures(tab: Any) -> None:
    drawn = "(place) => { const canvas = document.querySelector(place); return !canvas.hidden && canvas.width > 1; }"
    tab.wait_for_function(drawn, arg="[data-end='sefa:0'][data-side=high] canvas")
    tab.wait_for_function(drawn, arg="#atlas")
    changed(tab, lambda: tab.click("[data-end='sefa:0'][data-side=high]"))
    assert tab.input_value("#f-moves-sefa-0") == "3"
    assert "direction 1 +3" in tab.inner_text("#said")


def test_a_text_is_copied(tab: Any, context: Any) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.select_option("#model", "names")
    tab.wait_for_function("document.getElementById('picture').getAttribute('aria-label').startsWith('Lines: ')")
    tab.click("#copy-lines")
    tab.wait_for_selector(".toast:has-text('24 lines are copied')")
    assert len(tab.evaluate("navigator.clipboard.readText()").split("\n")) == 24


def test_the_picture_and_its_controls_are_on_the_first_screen(tab: Any) -> None:
    for width, height in ((1280, 720), (1440, 900)):
        tab.set_viewport_size({"width": width, "height": height})
        assert tab.evaluate("document.documentElement.scrollHeight") <= height
        boxes = [tab.locator(place).bounding_box() for place in ("#picture", "#said", "#dice", "#save")]
        assert all(box["y"] + box["height"] <= height for box in boxes)
        assert boxes[0]["height"] > 300
    for model in ("digits", "styled", "asked", "names"):
        tab.select_option("#model", model)
        tab.wait_for_function("(name) => location.hash.includes(`model=${name}`)", arg=model)
        tab.set_viewport_size({"width": 360, "height": 740})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
        assert tab.locator("#picture").bounding_box()["y"] < 400


def test_pictures_that_are_dropped_lead_to_the_form_of_a_training(tab: Any) -> None:
    dropped = """async () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
        const carried = new DataTransfer();
        for (const name of ["a.png", "b.png"]) {
            canvas.getContext("2d").fillRect(0, 0, 8, name === "a.png" ? 8 : 16);
            carried.items.add(new File([await new Promise((done) => canvas.toBlob(done))], name));
        }
        const event = new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
        document.querySelector("#pad").dispatchEvent(event);
        return event.defaultPrevented;
    }"""
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate(dropped)
    tab.wait_for_url("**/train#new&data=upload:*")
    tab.wait_for_selector("#report:not([hidden])")
    assert tab.input_value("#data").startswith("upload:")


@pytest.mark.parametrize("model", ["asked", "names"])
def test_axe_finds_nothing_on_a_model(tab: Any, model: str, list_violations: Any) -> None:
    tab.select_option("#model", model)
    tab.wait_for_function("document.getElementById('veil').hidden")
    assert list_violations(tab) == []
