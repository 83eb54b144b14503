"""The page /translate in a real browser: a drawn coast becomes a picture, a photograph is filtered; keys, links, a phone."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import faultless_tab
from translate_models import DARKER, furnish

from ganvas.data.builtin.earth import read_legend
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.shipped_models import find_model

pytestmark = pytest.mark.timeout(900)
READY = "document.getElementById('veil').hidden"
# The mean color of a part of a canvas, in shares of its sides.
MEAN = """([id, left, top, right, bottom]) => {
    const canvas = document.getElementById(id), { width, height } = canvas;
    const [x, y] = [Math.round(left * width), Math.round(top * height)];
    const [w, h] = [Math.round(right * width) - x, Math.round(bottom * height) - y];
    const { data } = canvas.getContext("2d").getImageData(x, y, w, h);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let k = 0; k < 3; k++) sum[k] += data[i + k];
    return sum.map((each) => each / (w * h));
}"""
SHOWN = "document.getElementById('result').toDataURL()"
CUT = """() => [...document.querySelectorAll(".stage .view, .stage .whole, .stage .caption, .stage .controls, #palette button")]
    .filter((each) => each.checkVisibility())
    .filter((each) => { const box = each.getBoundingClientRect(); return box.bottom > innerHeight || box.right > innerWidth; })
    .map((each) => each.className || each.id)"""
# The controls of the page that lie under a message.
COVERED = """() => [...document.querySelectorAll("main button, main input, main select")]
    .filter((each) => {
        const { x, y, width, height } = each.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2)?.closest("#toasts");
    })
    .map((each) => each.id || each.textContent)"""
CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
    if (window.noCamera) throw new DOMException("none", "NotFoundError");
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const draw = () => {
        const context = canvas.getContext("2d");
        context.fillStyle = "#c89664";
        context.fillRect(0, 0, 320, 240);
    };
    draw();
    window.moving = setInterval(draw, 40);
    window.stream = canvas.captureStream(25);
    return window.stream;
};"""


def add_painter(runs: Path) -> None:
    """The model of the earth that comes with ganvas, as a new run: water is blue, and land is not."""
    bundle = find_model("spade-earth")
    (runs / "earth").mkdir()
    shutil.copy(bundle, runs / "earth" / "model.safetensors")
    (runs / "earth" / "recipe.json").write_text(json.dumps(model_file.read_card(bundle)["recipe"]))


@pytest.fixture(scope="module")
def models(studio: Any) -> Path:
    furnish(studio.runs)
    return Path(studio.runs)


@pytest.fixture(scope="module")
def only_tab(context: Any, models: Path) -> Iterator[Any]:
    """One tab for all tests, so that its process loads its libraries once. Nothing may be thrown in it."""
    with faultless_tab(context) as made:
        made.set_default_timeout(240_000)
        made.add_init_script(CAMERA)
        made.goto(f"{context.base}/translate#model=shader")
        made.wait_for_function(READY)
        yield made


@pytest.fixture
def tab(only_tab: Any) -> Any:
    only_tab.set_viewport_size({"width": 1280, "height": 720})
    return only_tab


def follow(tab: Any, fragment: str) -> None:
    """Follow a link to the page on the page itself."""
    tab.evaluate("(fragment) => { history.replaceState(null, '', '#'); location.hash = fragment; }", fragment)


def open_model(tab: Any, fragment: str) -> None:
    """Follow a link to a model, and wait for its first result."""
    tab.wait_for_function("!document.querySelector('dialog[open]')")
    follow(tab, fragment)
    model = fragment.partition("&")[0].removeprefix("model=")
    tab.wait_for_function("(name) => document.getElementById('model').value === name", arg=model)
    tab.wait_for_function(READY)
    tab.wait_for_timeout(300)  # the hints of a page that was left are gone
    tab.wait_for_function(READY)


def changed(tab: Any, do: Any) -> str:
    """The result after `do`, which must differ from the one before."""
    before = tab.evaluate(SHOWN)
    do()
    tab.wait_for_function(f"(before) => {SHOWN} !== before", arg=before)
    return str(tab.evaluate(SHOWN))


def drag(tab: Any, *points: tuple[float, float]) -> None:
    """Drag over the drawing; points in shares of its sides."""
    box = tab.locator("#map").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=6)
    tab.mouse.up()


def class_at(tab: Any, x: float, y: float) -> str:
    """The name of the class that the keyboard's reader says for the color at a place of the drawing."""
    names, colors = read_legend()
    found = tab.evaluate(MEAN, ["map", x - 0.004, y - 0.004, x + 0.004, y + 0.004])
    return str(names[min(range(len(colors)), key=lambda k: sum(abs(a - b) for a, b in zip(colors[k], found, strict=True)))])


def png(width: int, height: int, color: tuple[int, int, int] = (200, 150, 100)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, "PNG")
    return out.getvalue()


def test_the_result_follows_the_pen_before_it_is_lifted(tab: Any) -> None:
    open_model(tab, "model=painter")
    box = tab.locator("#map").bounding_box()
    before = tab.evaluate(SHOWN)
    tab.mouse.move(box["x"] + 60, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 300, box["y"] + 300, steps=10)
    tab.wait_for_function(f"(before) => {SHOWN} !== before", arg=before)
    tab.mouse.up()


def test_tools_undo_and_the_link(tab: Any) -> None:
    open_model(tab, "model=painter")
    tab.click("#clear")
    tab.click("#palette >> text=ice")
    tab.click("[data-tool=line]")
    drag(tab, (0.1, 0.3), (0.5, 0.9), (0.9, 0.3))  # only the straight line from the first to the last point stays
    assert [class_at(tab, 0.5, 0.3), class_at(tab, 0.5, 0.8)] == ["ice", "deep sea"]
    tab.keyboard.press("f")
    tab.click("#palette >> text=sand")
    drag(tab, (0.5, 0.8), (0.5, 0.8))
    assert [class_at(tab, 0.5, 0.3), class_at(tab, 0.5, 0.8), class_at(tab, 0.5, 0.05)] == ["ice", "sand", "sand"]
    tab.click("#undo")
    assert class_at(tab, 0.5, 0.8) == "deep sea"
    tab.click("#redo")
    assert class_at(tab, 0.5, 0.8) == "sand"
    tab.click("[data-tool=pick]")
    drag(tab, (0.5, 0.3), (0.5, 0.3))
    assert tab.get_attribute("#palette button:has-text('ice')", "aria-pressed") == "true"
    assert tab.get_attribute("[data-tool=fill]", "aria-pressed") == "true"  # the tool before
    tab.click("[data-tool=erase]")
    drag(tab, (0.02, 0.3), (0.98, 0.3))
    assert class_at(tab, 0.5, 0.3) == "deep sea"
    tab.keyboard.press("Control+z")
    assert class_at(tab, 0.5, 0.3) == "ice"
    changed(tab, lambda: tab.click("#dice"))
    tab.wait_for_function("location.hash.includes('map=')")
    tab.wait_for_timeout(600)
    shown, link = tab.evaluate(SHOWN), tab.evaluate("location.hash.slice(1)")
    open_model(tab, "model=cycle")
    open_model(tab, link)
    tab.wait_for_function(f"(before) => {SHOWN} === before", arg=shown)
    assert [class_at(tab, 0.5, 0.3), class_at(tab, 0.5, 0.8)] == ["ice", "sand"]


def test_the_drawing_can_be_made_by_keys_alone_and_enlarged(tab: Any) -> None:
    open_model(tab, "model=painter")
    tab.click("#clear")
    tab.focus("#map")
    tab.keyboard.press("0")  # the tenth class
    tab.keyboard.press("Enter")
    assert class_at(tab, 0.5, 0.5) == "forest"
    for _ in range(6):
        tab.keyboard.press("ArrowRight")
    assert class_at(tab, 0.68, 0.5) == "deep sea"  # it moved without drawing
    tab.keyboard.press("Shift+ArrowRight")
    assert class_at(tab, 0.715, 0.5) == "forest"
    tab.keyboard.press("l")
    tab.keyboard.press("Enter")
    for _ in range(8):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert class_at(tab, 0.72, 0.65) == "forest"
    for _ in range(3):
        tab.keyboard.press("Control+z")
    assert {class_at(tab, x, 0.52) for x in (0.5, 0.69)} == {"deep sea"}
    tab.keyboard.press("Control+Shift+Z")
    tab.evaluate("document.getElementById('map').blur()")
    tab.focus("#zoom")
    tab.keyboard.press("End")
    assert tab.inner_text("#zoom-out") == "\u00d7 8"
    assert class_at(tab, 0.45, 0.45) == "forest"  # what was a dot in the middle


def test_a_map_is_opened_by_its_colors_and_saved_with_a_palette(tab: Any) -> None:
    _, colors = read_legend()
    open_model(tab, "model=painter")
    image = Image.new("RGB", (300, 300), colors[4])
    image.paste(colors[9], (0, 0, 150, 300))
    image.paste((colors[4][0] + 9, colors[4][1] - 9, colors[4][2]), (200, 0, 300, 300))  # nearly sand
    image.paste((255, 0, 255), (150, 0, 152, 300))  # no class at all: as the nearest pixel that has one
    out = io.BytesIO()
    image.save(out, "PNG")
    changed(
        tab,
        lambda: tab.set_input_files(
            "#intake input[type=file]", {"name": "map.png", "mimeType": "image/png", "buffer": out.getvalue()}
        ),
    )
    assert [class_at(tab, x, 0.5) for x in (0.2, 0.6, 0.9)] == ["forest", "sand", "sand"]
    with tab.expect_download() as saved:
        tab.click("#save-map")
    with Image.open(saved.value.path()) as found:
        assert (found.mode, found.size) == ("P", (128, 128))
        assert set(found.get_flattened_data() if hasattr(found, "get_flattened_data") else found.getdata()) == {4, 9}
        assert found.getpalette()[: 3 * len(colors)] == [level for color in colors for level in color]
    tab.set_input_files(
        "#intake input[type=file]", {"name": "x.png", "mimeType": "image/png", "buffer": png(9, 9, (255, 0, 255))}
    )
    tab.wait_for_selector(".toast:has-text('no color of the palette')")
    assert class_at(tab, 0.2, 0.5) == "forest"
    out = io.BytesIO()
    image.crop((0, 0, 300, 150)).save(out, "PNG")
    wide = {"name": "wide.png", "mimeType": "image/png", "buffer": out.getvalue()}
    changed(tab, lambda: tab.set_input_files("#intake input[type=file]", wide))
    tab.wait_for_selector(".toast:has-text('The map is not square')")
    around = read_legend()[0][0]
    assert [class_at(tab, 0.2, y) for y in (0.2, 0.3, 0.7, 0.8)] == [around, "forest", "forest", around]


DROP = """async ([bytes, name]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_a_photograph_that_is_dropped_is_filtered_and_saved(tab: Any) -> None:
    open_model(tab, "model=filter")
    tab.evaluate(DROP, [list(png(900, 450)), "photo.png"])
    tab.wait_for_selector("#out-said:has-text('512 \u00d7 256 pixels')")
    expected = [200 - DARKER, 150 - DARKER, 100 - DARKER]
    assert tab.evaluate(MEAN, ["result", 0, 0, 1, 1]) == pytest.approx(expected, abs=1.5)
    tab.focus("#strength")
    changed(tab, lambda: tab.keyboard.press("Home"))  # nothing is changed
    assert tab.evaluate(MEAN, ["result", 0, 0, 1, 1]) == pytest.approx([200, 150, 100], abs=1.5)
    changed(tab, lambda: tab.keyboard.press("End"))
    tab.click("[data-view=compare]")
    tab.focus("#result")
    tab.keyboard.press("ArrowRight")
    assert tab.get_attribute("#result", "aria-valuenow") == "55"
    assert tab.evaluate(MEAN, ["result", 0, 0, 0.45, 0.3]) == pytest.approx([200, 150, 100], abs=1.5)  # before
    assert tab.evaluate(MEAN, ["result", 0.65, 0, 1, 0.3]) == pytest.approx(expected, abs=1.5)  # after
    assert tab.inner_text("#size option[value='0']") == "as it is; files: at most 1,024"
    tab.select_option("#size", "0")  # as it is: too large for one frame, so it is sent, and comes back, as a file
    tab.wait_for_selector("#out-said:has-text('900 \u00d7 450 pixels')")
    with tab.expect_download() as saved:
        tab.click("#save")
    assert saved.value.suggested_filename == "filter-sketch.png"
    with Image.open(saved.value.path()) as found:
        assert found.size == (900, 450)
        assert found.getpixel((5, 5)) == pytest.approx(tuple(expected), abs=1)
        assert found.text["synthetic"] == "true"


def test_the_copied_link_is_of_the_picture_that_is_shown(tab: Any) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_model(tab, "model=shader")
    links = []
    for name in ("one.png", "two.png"):
        tab.evaluate("document.getElementById('toasts').replaceChildren()")
        tab.evaluate(DROP, [list(png(40, 40)), name])
        tab.wait_for_selector(f"#in-said:has-text('{name}')")
        if links:
            tab.route("**/api/pictures", lambda route: route.abort())
            tab.click("#copy")
            tab.wait_for_selector(".toast.error:has-text('There is no link')")
            tab.unroute("**/api/pictures")
        tab.click("#copy")  # the picture is on its way to the studio
        tab.wait_for_selector(".toast:has-text('The link holds')")
        links.append(tab.evaluate("navigator.clipboard.readText()"))
    assert all("mode=picture" in link and "picture=" in link.partition("mode=picture")[2] for link in links)
    assert links[0] != links[1]


def test_a_picture_goes_with_to_another_model_before_it_is_sent(tab: Any) -> None:
    open_model(tab, "model=shader")
    tab.route("**/api/pictures", lambda route: route.abort())  # it never is
    tab.evaluate(DROP, [list(png(40, 20)), "mine.png"])
    tab.wait_for_selector("#in-said:has-text('mine.png')")
    tab.select_option("#model", "filter")
    tab.wait_for_selector("#out-said:has-text('photo > sketch')")
    assert tab.inner_text("#in-said") == "mine.png \u00b7 40 \u00d7 20 pixels"
    tab.unroute("**/api/pictures")


def test_what_is_saved_has_the_seed_that_it_was_made_with(tab: Any) -> None:
    open_model(tab, "model=painter&seed=7")
    said = tab.inner_text("#out-said")
    assert "seed 7" in said
    newer = """document.getElementById("dice").click();
        document.getElementById("save").click();
        document.querySelector("[data-view=compare]").click();
        document.getElementById("out-said").textContent"""
    with tab.expect_download() as saved:
        assert tab.evaluate(newer) == said  # the picture of the new seed is not there yet
    assert saved.value.suggested_filename == "painter-picture-seed7.png"
    with Image.open(saved.value.path()) as found:
        assert "7" in found.text.values()


def test_that_transparent_pixels_become_white_is_said(tab: Any) -> None:
    open_model(tab, "model=cycle")
    assert "white" not in tab.inner_text("#note")
    out = io.BytesIO()
    Image.new("RGBA", (90, 90), (200, 150, 100, 0)).save(out, "PNG")
    tab.evaluate(DROP, [list(out.getvalue()), "clear.png"])
    tab.wait_for_selector("#note:has-text('Transparent pixels became white; ganvas translate keeps them.')")
    tab.select_option("#size", "0")
    tab.wait_for_selector("#note:has-text('may be worse. Transparent pixels')")
    assert tab.evaluate(CUT) == []
    tab.evaluate(DROP, [list(png(90, 90)), "opaque.png"])
    tab.wait_for_selector("#in-said:has-text('opaque.png')")
    tab.wait_for_function("!document.getElementById('note').textContent.includes('white')")


def test_both_ways_and_the_way_back(tab: Any) -> None:
    open_model(tab, "model=cycle")
    assert tab.inner_text("#out-title") == "Out: shaded"
    tab.click("[data-view=back]")
    tab.wait_for_selector("#note:has-text('grey levels of 255 from the input')")
    tab.click("[data-mode=camera]")
    assert tab.inner_text("#note") == ""
    tab.click("[data-mode=picture]")
    tab.wait_for_selector("#note:has-text('grey levels of 255 from the input')")
    assert "flat > shaded > flat" in tab.inner_text("#out-said")
    back = tab.evaluate(MEAN, ["result", 0.55, 0, 1, 0.4])
    with tab.expect_download() as saved:
        tab.click("#save")
    assert saved.value.suggested_filename == "cycle-shaded-back.png"
    with Image.open(saved.value.path()) as found:
        assert found.text["direction"] == "flat > shaded > flat"
        width, height = found.size
        part = np.array(found)[: round(0.4 * height), round(0.55 * width) :]
    assert part.mean((0, 1)) == pytest.approx(back, abs=4)
    tab.click("[data-view=result]")
    assert tab.evaluate(MEAN, ["result", 0.55, 0, 1, 0.4]) != pytest.approx(back, abs=8)
    with tab.expect_download() as saved:
        tab.click("#save")
    assert saved.value.suggested_filename == "cycle-shaded.png"
    changed(tab, lambda: tab.click("[data-to=flat]"))
    assert "shaded > flat" in tab.inner_text("#out-said")
    assert "example=shaded-1.png" in tab.evaluate("new Promise((done) => setTimeout(done, 600)).then(() => location.hash)")
    tab.click("#reuse")
    tab.wait_for_selector("#in-said:has-text('the result')")
    tab.wait_for_selector("#out-said:has-text('flat > shaded')")


def test_a_drawing_in_flat_colors_goes_into_a_model_of_pictures(tab: Any) -> None:
    open_model(tab, "model=shader")
    changed(tab, lambda: tab.click("[data-mode=draw]"))
    assert tab.locator("#palette button").count() == 12
    tab.click("#palette >> text=violet")
    changed(tab, lambda: drag(tab, (0.1, 0.1), (0.9, 0.9)))
    assert "32 \u00d7 32 pixels" in tab.inner_text("#out-said")


def test_a_drawing_stays_when_the_model_goes_its_other_way(tab: Any) -> None:
    open_model(tab, "model=cycle&mode=draw")
    drawing = "new URLSearchParams(location.hash.slice(1)).get('map')"
    tab.wait_for_function(drawing)
    before = tab.evaluate(drawing)
    tab.click("[data-to=flat]")
    tab.wait_for_selector("#out-said:has-text('shaded > flat')")
    tab.wait_for_function("location.hash.includes('to=flat')")
    assert tab.evaluate(drawing) == before
    assert tab.get_attribute("[data-mode=draw]", "aria-pressed") == "true"
    tab.click("[data-mode=picture]")
    tab.wait_for_function("location.hash.includes('example=shaded-1.png')")


def test_a_link_to_a_drawing_shows_its_result_first(tab: Any) -> None:
    open_model(tab, "model=shader&mode=draw")
    tab.wait_for_function("location.hash.includes('map=')")
    link = tab.evaluate("location.hash.slice(1)")
    open_model(tab, "model=cycle")
    tab.evaluate("""() => {
        window.entries = [];
        const said = document.getElementById("in-said");
        window.watcher = new MutationObserver(() => window.entries.push(said.textContent));
        window.watcher.observe(said, { childList: true });
    }""")
    open_model(tab, link)
    entries = tab.evaluate("window.watcher.disconnect() ?? window.entries")
    assert entries
    assert all("example" not in entry for entry in entries)
    assert tab.get_attribute("[data-mode=draw]", "aria-pressed") == "true"


def test_a_result_is_handed_on_to_another_model(tab: Any) -> None:
    open_model(tab, "model=painter")
    tab.click("#hand")
    tab.click("#hand-list >> text=larger")
    tab.wait_for_selector("#out-said:has-text('256 \u00d7 256 pixels')")
    assert tab.get_attribute("[data-view=compare]", "aria-pressed") == "true"
    assert tab.input_value("#model") == "larger"
    tab.wait_for_function("location.hash.includes('picture=')")
    link = tab.evaluate("location.hash.slice(1)")
    open_model(tab, "model=cycle")
    open_model(tab, link)  # the picture is in the studio
    tab.wait_for_selector("#out-said:has-text('256 \u00d7 256 pixels')")


def test_the_webcam_is_translated_while_it_runs(tab: Any) -> None:
    open_model(tab, "model=filter")
    tab.click("[data-mode=camera]")
    assert tab.inner_text("#no-entry") == "The webcam is off."
    assert "a larger size changes nothing" in tab.inner_text("#in-hint")
    assert tab.inner_text("#out-said") == ""  # no longer that of the picture before
    tab.click("#camera")
    tab.wait_for_selector("#out-said:has-text('256 \u00d7 192 pixels')")
    tab.wait_for_function(f"(expected) => Math.abs(({MEAN})(['result', 0, 0, 1, 1])[0] - expected) < 6", arg=200 - DARKER)
    tab.click("#shoot")
    assert tab.get_attribute("[data-mode=picture]", "aria-pressed") == "true"
    assert tab.evaluate("window.stream.getTracks().every((track) => track.readyState === 'ended')")
    tab.wait_for_selector("#in-said:has-text('the webcam')")


def test_a_camera_that_is_not_there_is_a_line(tab: Any) -> None:
    open_model(tab, "model=filter")
    tab.click("[data-mode=camera]")
    tab.evaluate("window.noCamera = true")
    tab.click("#camera")
    tab.wait_for_selector(".toast:has-text('The camera: none was found')")


@pytest.mark.parametrize("fragment", ["model=gone", "model=noise", "model=%3Cimg+src%3Dx+onerror%3Dwindow.hurt%3D1%3E"])
def test_a_link_to_no_model_is_a_line(tab: Any, fragment: str) -> None:
    follow(tab, fragment)
    tab.wait_for_selector("#problem:not([hidden])")
    assert "choose another" in tab.inner_text("#problem")
    assert tab.evaluate("window.hurt") is None


def test_a_newer_link_wins_over_one_that_waits_for_the_list_of_models(tab: Any) -> None:
    tab.route("**/api/translate/models", lambda route: (time.sleep(1), route.continue_()))
    follow(tab, "model=gone")
    open_model(tab, "model=cycle")
    tab.unroute("**/api/translate/models")
    tab.wait_for_timeout(1500)
    assert tab.input_value("#model") == "cycle"
    assert tab.is_visible("#work")
    assert tab.is_hidden("#problem")


@pytest.mark.parametrize(
    "entry", ["map=128.AAAA", "map=999.x", "map=64.____", "picture=0000000000000000", "picture=..%2F..", "size=x&seed=-1"]
)
def test_a_link_with_a_mistake_leaves_a_page_that_works(tab: Any, entry: str) -> None:
    model = "filter" if entry.startswith("picture") else "painter"
    tab.evaluate("document.getElementById('toasts').replaceChildren()")
    open_model(tab, "model=cycle")
    follow(tab, f"model={model}&{entry}")
    if not entry.startswith("size"):
        tab.wait_for_selector(".toast.error")
        assert tab.evaluate(COVERED) == []
    if model == "painter":
        tab.wait_for_function(READY)
        changed(tab, lambda: tab.click("#dice"))


def test_all_is_on_the_first_screen_and_nothing_is_cut_off_on_a_phone(tab: Any) -> None:
    for model in ("painter", "cycle", "filter"):
        open_model(tab, f"model={model}")
        for width, height in ((1280, 720), (1440, 900)):
            tab.set_viewport_size({"width": width, "height": height})
            assert tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
                width,
                height,
            ]
            assert tab.evaluate(CUT) == []
            entry, result = (tab.locator(f".{side} .whole").bounding_box() for side in ("entrance", "exit"))
            assert (entry["y"], entry["width"], entry["height"]) == pytest.approx(
                (result["y"], result["width"], result["height"]), abs=1
            )
            assert entry["width"] > 350
        for width in (360, 390):
            tab.set_viewport_size({"width": width, "height": 844})
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert tab.locator(".entrance .whole").bounding_box()["y"] < 420
        tab.set_viewport_size({"width": 1280, "height": 720})


@pytest.mark.parametrize(
    "fragment", ["model=painter", "model=cycle&view=back", "model=filter&view=compare", "model=shader&mode=draw"]
)
def test_axe_finds_nothing(tab: Any, list_violations: Any, fragment: str) -> None:
    open_model(tab, fragment)
    assert list_violations(tab) == []


def noise(width: int, height: int) -> bytes:
    """A PNG whose every pixel is another one, so that a bit that changes is seen."""
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(60, 190, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def open_filler(tab: Any, data: bytes, name: str) -> None:
    """The model that fills holes, with a picture of a person's, and nothing painted over it."""
    open_model(tab, "model=filler")
    tab.evaluate(DROP, [list(data), name])
    tab.wait_for_selector(f"#in-said:has-text('{name}')")
    tab.wait_for_selector("#veil:has-text('Paint over a part of the picture')")


def wait_until_filled(tab: Any) -> None:
    """Wait for the result of all that is painted over; results on the way are of a part of a stroke."""
    share = tab.inner_text("#in-said").rpartition(" \u00b7 ")[2].partition(" ")[0]
    tab.wait_for_selector(f"#note:has-text('({share}%)')")


def save_result(tab: Any) -> Any:
    """The saved result as an array [H, W, C], and its texts."""
    with tab.expect_download() as saved:
        tab.click("#save")
    assert saved.value.suggested_filename == "filler-filled.png"
    with Image.open(saved.value.path()) as found:
        return np.array(found), found.text


def test_what_is_painted_over_is_filled_and_the_rest_keeps_its_bits(tab: Any) -> None:
    data = noise(90, 60)
    open_filler(tab, data, "noise.png")
    assert tab.is_hidden("#palette")
    drag(tab, (0.2, 0.5), (0.6, 0.5))
    wait_until_filled(tab)
    saved, texts = save_result(tab)
    given = np.array(Image.open(io.BytesIO(data)))
    other = (saved != given).any(2)
    assert other[30, 20:52].mean() > 0.9
    assert not other[:25].any()
    assert not other[36:].any()
    assert not other[:, 65:].any()
    assert texts["direction"] == "inpainted"
    tab.wait_for_function("/&hole=90x60\\.[\\w-]+$/.test(location.hash)")
    tab.click("#undo")
    tab.wait_for_selector("#veil:has-text('Paint over a part of the picture')")
    tab.click("#redo")
    tab.wait_for_function(READY)


@pytest.mark.slow
def test_a_hole_is_painted_by_keys_and_its_link_brings_it_back(tab: Any) -> None:
    open_filler(tab, noise(90, 60), "keys.png")
    tab.focus("#map")
    tab.keyboard.press("1")  # no class can be chosen here
    tab.keyboard.press("Enter")
    tab.wait_for_function(READY)
    for _ in range(8):
        tab.keyboard.press("Shift+ArrowRight")
    tab.keyboard.press("e")
    tab.keyboard.press("Enter")  # the eraser, at the end of the stroke
    tab.click("#copy")  # it waits until the picture is in the studio
    tab.wait_for_selector(".toast:has-text('The link ')")
    said = tab.inner_text("#in-said")
    wait_until_filled(tab)
    shown = tab.evaluate(SHOWN)
    link = tab.evaluate("location.hash.slice(1)")
    assert "% painted over" in tab.get_attribute("#map", "aria-label")
    open_model(tab, "model=cycle")
    assert tab.is_hidden("#mask-part")
    assert tab.is_visible("#entry")
    open_model(tab, link)
    tab.wait_for_function(f"(before) => {SHOWN} === before", arg=shown)
    assert tab.inner_text("#in-said") == said.replace("keys.png", "the picture of the link")
    tab.keyboard.press("b")


@pytest.mark.slow
def test_a_mask_is_opened_and_saved(tab: Any, models: Path, tmp_path: Path) -> None:
    data = noise(90, 60)
    open_filler(tab, data, "photo.png")

    def open_mask(mask: Any) -> None:
        out = io.BytesIO()
        Image.fromarray(mask).save(out, "PNG")
        file = {"name": "mask.png", "mimeType": "image/png", "buffer": out.getvalue()}
        tab.set_input_files("#mask-intake input[type=file]", file)

    for mask, words in (
        (np.full((50, 90), 255, np.uint8), "expected 90 \u00d7 60 pixels, as the picture has, found 90 \u00d7 50"),
        (np.zeros((60, 90), np.uint8), "expected white where the picture is filled"),
        (np.full((60, 90), 255, np.uint8), "expected black where the picture is kept"),
    ):
        open_mask(mask)
        tab.wait_for_selector(f".toast.error:has-text('{words}')")
        tab.evaluate("document.getElementById('toasts').replaceChildren()")
    mask = np.zeros((60, 90, 4), np.uint8)
    mask[10:20, 30:50] = (255, 255, 255, 255)
    mask[30:40, 30:50] = (128, 128, 128, 255)  # the nearer of both is white
    mask[45:50, 30:50] = (255, 255, 255, 0)  # transparent: black
    open_mask(mask)
    tab.wait_for_selector("#note:has-text('400 of 90 x 60 pixels are filled')")
    saved, _ = save_result(tab)
    with tab.expect_download() as given:
        tab.click("#save-mask")
    given.value.save_as(tmp_path / "mask.png")
    (tmp_path / "photo.png").write_bytes(data)
    with Image.open(tmp_path / "mask.png") as image:
        assert np.array_equal(np.array(image.convert("L")) > 127, (mask[..., 0] > 127) & (mask[..., 3] > 0))
    filled = load(models / "filler").inpaint(tmp_path / "photo.png", tmp_path / "mask.png")
    assert np.array_equal(np.array(filled), saved)
    tab.click("#undo")
    tab.wait_for_selector("#veil:has-text('Paint over a part of the picture')")


@pytest.mark.slow
def test_a_large_photograph_is_filled_at_its_own_size(tab: Any) -> None:
    data = noise(800, 600)
    open_filler(tab, data, "large.png")
    assert "800 \u00d7 600 pixels" in tab.inner_text("#in-said")
    drag(tab, (0.5, 0.5), (0.55, 0.5))
    wait_until_filled(tab)
    small = np.array(Image.open(io.BytesIO(data)))
    saved, _ = save_result(tab)
    other = (saved != small).any(2)
    assert saved.shape == small.shape
    assert 0 < other.mean() < 0.02
    drag(tab, (0.05, 0.05), (0.95, 0.95))  # what comes back is too large for a frame
    wait_until_filled(tab)
    saved, _ = save_result(tab)
    other = (saved != small).any(2)
    assert other[::40, ::40].mean() > 0.02
    assert not other[450:, :200].any()
    assert not other[:150, 500:].any()
    tab.select_option("#size", "512")
    tab.wait_for_selector("#note:has-text('of 512 x 384 pixels are filled')")  # the hole has gone with the picture
    tab.evaluate(DROP, [list(noise(2100, 30)), "wide.png"])
    tab.select_option("#size", "0")
    tab.wait_for_selector("#in-said:has-text('2048 \u00d7 29 pixels')")
    assert "ganvas inpaint takes any size" in tab.inner_text("#in-hint")


@pytest.mark.slow
def test_the_webcam_is_filled_where_it_is_painted_over(tab: Any) -> None:
    open_model(tab, "model=filler")
    tab.click("[data-mode=camera]")
    tab.click("#camera")
    tab.wait_for_selector("#in-said:has-text('256 \u00d7 192 pixels \u00b7 nothing painted over')")
    drag(tab, (0.3, 0.5), (0.7, 0.5))
    tab.wait_for_selector("#note:has-text('of 256 x 192 pixels are filled')")
    assert tab.evaluate(MEAN, ["result", 0, 0, 1, 1]) == pytest.approx([200, 150, 100], abs=4)
    tab.click("#shoot")
    tab.wait_for_selector("#in-said:has-text('the webcam')")
    tab.wait_for_selector("#note:has-text('of 320 x 240 pixels are filled')")  # the hole has gone with it
    tab.click("[data-mode=camera]")
    tab.click("[data-mode=picture]")
    tab.wait_for_selector("#note:has-text('of 320 x 240 pixels are filled')")


@pytest.mark.slow
def test_a_filled_picture_goes_on_to_another_model_and_comes_from_edit(tab: Any, context: Any, models: Path) -> None:
    open_filler(tab, noise(90, 60), "mine.png")
    drag(tab, (0.2, 0.5), (0.6, 0.5))
    wait_until_filled(tab)
    tab.click("#hand")
    tab.click("#hand-list >> text=larger")
    tab.wait_for_selector("#out-said:has-text('180 \u00d7 120 pixels')")
    other = context.new_page()
    other.set_default_timeout(600_000)
    other.goto(f"{context.base}/edit#model=cgan-mnist&seed=1")  # it comes with ganvas
    other.wait_for_selector("#work:not([hidden])")
    file = {"name": "own.png", "mimeType": "image/png", "buffer": noise(300, 200)}
    other.set_input_files("#intake input[type=file]", file)
    other.click("#filler")
    other.wait_for_url("**/translate#model=filler*")
    other.wait_for_selector("#in-said:has-text('300 \u00d7 200 pixels \u00b7 nothing painted over')")
    other.close()


@pytest.mark.slow
def test_the_page_that_fills_fits_the_screen_and_axe_finds_nothing(tab: Any, list_violations: Any) -> None:
    open_model(tab, "model=filler")
    for width, height in ((1280, 720), (1440, 900)):
        tab.set_viewport_size({"width": width, "height": height})
        assert tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [width, height]
        assert tab.evaluate(CUT) == []
        entry, result = (tab.locator(f".{side} .whole").bounding_box() for side in ("entrance", "exit"))
        assert (entry["y"], entry["width"]) == pytest.approx((result["y"], result["width"]), abs=1)
    tab.set_viewport_size({"width": 360, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    drawing, tools, out = (tab.locator(each).bounding_box()["y"] for each in ("#map", "#tools", "#result"))
    assert drawing < tools < out
    tab.set_viewport_size({"width": 1280, "height": 720})
    assert list_violations(tab) == []


@pytest.mark.slow
def test_a_run_that_cannot_be_read_is_told_on_each_page(tab: Any, context: Any, models: Path) -> None:
    (models / "spoiled").mkdir()
    (models / "spoiled" / "model.safetensors").write_bytes(b"")
    (models / "spoiled" / "recipe.json").write_text("{")
    other = context.new_page()
    other.set_default_timeout(240_000)
    try:
        for name in ("translate", "edit", "animate"):
            other.goto(f"{context.base}/{name}#model=spoiled")
            other.wait_for_selector("#absent:has-text('Not shown: spoiled (recipe.json is not readable JSON')")
            other.wait_for_selector("#problem:has-text('spoiled is not shown here')")
            size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
            assert other.evaluate(size) == [1280, 900]
    finally:
        other.close()
        for file in (models / "spoiled").iterdir():
            file.unlink()
        (models / "spoiled").rmdir()


def test_without_a_model_one_click_leads_to_the_form(page: Any, context: Any) -> None:
    page.route("**/api/translate/models", lambda route: route.fulfill(json=[]))
    page.goto(f"{context.base}/translate")
    page.click("#starts >> text=Draw a coast")
    page.wait_for_url("**/train#new&recipe=spade-earth")
    page.wait_for_selector("input[value=spade-earth]:checked")


def test_a_drawn_coast_becomes_a_picture(tab: Any, models: Path) -> None:
    add_painter(models)
    open_model(tab, "model=earth")  # the page did not know it
    tab.click("#clear")  # deep sea, the first class
    tab.click("#palette >> text=forest")
    changed(tab, lambda: drag(tab, (0.75, 0.02), (0.75, 0.98)))  # a strip, whose left edge is a coast
    tab.click("[data-tool=fill]")
    changed(tab, lambda: drag(tab, (0.95, 0.5), (0.95, 0.5)))
    assert [class_at(tab, 0.2, 0.5), class_at(tab, 0.75, 0.5), class_at(tab, 0.97, 0.5)] == ["deep sea", "forest", "forest"]
    bluer = f"""() => {{
        const [sea, land] = [0.1, 0.65].map((left) => ({MEAN})(["result", left, 0.2, left + 0.3, 0.8]));
        return sea[2] - sea[0] > land[2] - land[0] + 5;
    }}"""
    tab.wait_for_function(bluer)  # the sea is the bluer one
    assert "drawing > picture" in tab.inner_text("#out-said")
