"""What pages share: the sketch canvas, the picture intake, explanations; in a real browser, on the page Play."""

from __future__ import annotations

import base64
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.timeout(900)
AXE = Path(__file__).with_name("axe.min.js.gz")
SKETCH = """async () => {
    const { Sketch } = await import("./static/common/sketch.js");
    const host = document.createElement("div");
    host.id = "host";
    host.style.width = "200px";
    document.querySelector(".head").append(host);
    const layers = [{ name: "edges", label: "Edges", color: "#000000" }, { name: "mask", label: "Mask", color: "#ff0000" }];
    window.changes = 0;
    window.sketch = new Sketch(host, { layers, size: 0.2, changed: () => { window.changes += 1; } });
}"""
INTAKE = """async () => {
    const { Intake, sendPicture } = await import("./static/common/intake.js");
    const host = document.createElement("div");
    host.id = "host";
    document.querySelector(".head").append(host);
    window.taken = [];
    window.sendPicture = sendPicture;
    const examples = [{ name: "a red one", url: "./static/example.png" }];
    const take = ({ canvas, name }) => {
        window.canvas = canvas;
        window.taken.push([name, canvas.width, canvas.height]);
    };
    window.intake = new Intake(host, { take, examples, camera: true });
}"""
PIXEL = """([x, y, names]) => Array.from(
    window.sketch.render(50, names ?? undefined).getContext("2d").getImageData(x, y, 1, 1).data)"""


@pytest.fixture(scope="module")
def tab(silent_tab: Any) -> Any:
    """One tab of the page Play, whose engine is not needed."""
    return silent_tab


def mount(tab: Any, context: Any, script: str) -> None:
    tab.goto(f"{context.base}/play")
    tab.wait_for_selector("[data-lesson=tour]")
    tab.evaluate(script)


def drag(tab: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = tab.locator("#host .sketch-canvas").bounding_box()
    tab.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=5)
    tab.mouse.up()


def find_violations(tab: Any, root: str) -> list[Any]:
    tab.evaluate(gzip.decompress(AXE.read_bytes()).decode())
    found = tab.evaluate("root => axe.run(document.querySelector(root))", root)
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]


def test_a_sketch_has_layers_an_eraser_and_undo(tab: Any, context: Any) -> None:
    mount(tab, context, SKETCH)
    white, red, black = [255, 255, 255, 255], [255, 0, 0, 255], [0, 0, 0, 255]
    drag(tab, (0.1, 0.5), (0.9, 0.5))  # on the upper layer
    assert tab.evaluate(PIXEL, [25, 25, None]) == red
    tab.check("#host >> text=Edges")
    drag(tab, (0.5, 0.1), (0.5, 0.9))
    assert tab.evaluate(PIXEL, [25, 10, None]) == black
    assert tab.evaluate(PIXEL, [25, 25, None]) == red  # the mask lies above
    assert tab.evaluate(PIXEL, [25, 25, ["edges"]]) == black
    tab.click("#host >> text=Eraser")
    drag(tab, (0.5, 0.1), (0.5, 0.9))
    assert tab.evaluate(PIXEL, [25, 10, None]) == white  # the eraser spares the other layer
    assert tab.evaluate(PIXEL, [25, 25, None]) == red
    tab.click("#host >> text=Undo")
    assert tab.evaluate(PIXEL, [25, 10, None]) == black
    tab.click("#host >> text=Redo")
    assert tab.evaluate(PIXEL, [25, 10, None]) == white
    tab.click("#host >> text=Clear")
    assert tab.evaluate("window.sketch.isEmpty")
    tab.click("#host >> text=Undo")  # also the clearing
    assert not tab.evaluate("window.sketch.isEmpty")
    assert tab.evaluate("window.changes") == 7
    assert find_violations(tab, "#host") == []


def test_a_sketch_can_be_made_by_keys_alone(tab: Any, context: Any) -> None:
    mount(tab, context, SKETCH)
    canvas = tab.locator("#host .sketch-canvas")
    canvas.press("Enter")
    assert tab.evaluate(PIXEL, [25, 25, None]) == [255, 0, 0, 255]
    for _ in range(8):
        canvas.press("ArrowRight")
    assert tab.evaluate(PIXEL, [38, 25, None]) == [255, 255, 255, 255]  # it moved without drawing
    canvas.press("Shift+ArrowRight")
    assert tab.evaluate(PIXEL, [38, 25, None]) == [255, 0, 0, 255]
    canvas.press("Control+z")
    canvas.press("Control+z")
    assert tab.evaluate("window.sketch.isEmpty")
    assert tab.evaluate("document.activeElement.className") == "sketch-canvas"


def test_the_memory_of_undo_is_bounded(tab: Any, context: Any) -> None:
    mount(tab, context, SKETCH)
    found = tab.evaluate("""async () => {
        const { UndoStack } = await import("./static/common/undo.js");
        const stack = new UndoStack(0, 3);
        for (let i = 1; i <= 9; i++) stack.push(i);
        const back = [stack.undo(), stack.undo(), stack.undo(), stack.undo()];
        const on = [stack.redo(), stack.redo()];
        stack.push(70);
        return [back, on, stack.redo(), stack.canRedo, stack.undo()];
    }""")
    assert found == [[8, 7, 6, 6], [7, 8], 70, False, 8]


def make_png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def wait_for(tab: Any, count: int) -> list[Any]:
    tab.wait_for_function(f"window.taken.length === {count}")
    found: list[Any] = tab.evaluate("window.taken")
    return found


def test_a_picture_comes_in_by_each_way(tab: Any, context: Any) -> None:
    tab.route("**/static/example.png", lambda route: route.fulfill(body=make_png(64, 64), content_type="image/png"))
    mount(tab, context, INTAKE)
    tab.set_input_files("#host input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": make_png(2048, 512)})
    assert wait_for(tab, 1)[-1] == ["a.png", 1024, 256]  # made smaller
    give = """async ([kind, text]) => {
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], `${kind}.png`, { type: "image/png" }));
        const event = kind === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
        document.body.dispatchEvent(event);
    }"""
    for count, kind in ((2, "drop"), (3, "paste")):
        tab.evaluate(give, [kind, base64.b64encode(make_png(30, 20)).decode()])
        assert wait_for(tab, count)[-1] == [f"{kind}.png", 30, 20]
    sent = tab.evaluate("window.sendPicture(window.canvas)")
    assert (sent["width"], sent["height"]) == (30, 20)
    tab.click("#host .intake-example")
    assert wait_for(tab, 4)[-1] == ["a red one", 64, 64]
    assert find_violations(tab, "#host") == []


def test_what_is_no_picture_and_a_camera_that_is_refused_are_a_line(tab: Any, context: Any) -> None:
    mount(tab, context, INTAKE)
    hostile = "<img src=x onerror=window.hurt=1>.png"
    tab.set_input_files("#host input[type=file]", {"name": hostile, "mimeType": "image/png", "buffer": b"no picture"})
    tab.wait_for_selector("#host .intake-problem:has-text('cannot read it as a picture')")
    assert hostile in tab.inner_text("#host .intake-problem")
    assert tab.evaluate("window.hurt") is None
    tab.evaluate("document.getElementById('host').style.marginTop = '3000px'")  # outside the window
    tab.set_input_files("#host input[type=file]", {"name": "y.png", "mimeType": "image/png", "buffer": b"no picture"})
    tab.wait_for_selector("#host .intake-problem:has-text('y.png')")
    box = tab.locator("#host .intake-problem").bounding_box()
    assert 0 <= box["y"] < tab.viewport_size["height"] - box["height"] + 1
    tab.evaluate("document.getElementById('host').hidden = true")
    tab.set_input_files("#host input[type=file]", {"name": "z.png", "mimeType": "image/png", "buffer": b"no picture"})
    tab.wait_for_selector(".toast.error:has-text('z.png')")
    tab.evaluate("Object.assign(document.getElementById('host'), { hidden: false }).style.marginTop = '0'")
    tab.click("#host >> text=Camera")  # the page Play has no permission for it
    tab.wait_for_selector("#host .intake-problem:has-text('The camera:')")
    assert tab.evaluate("window.taken") == []


def test_of_several_files_the_first_that_can_be_read_is_taken(tab: Any, context: Any) -> None:
    mount(tab, context, INTAKE)
    drop = """([text, names]) => {
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        const data = new DataTransfer();
        for (const name of names) data.items.add(new File([name.startsWith("bad") ? "no picture" : bytes], name));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    picture = base64.b64encode(make_png(30, 20)).decode()
    tab.evaluate(drop, [picture, ["bad.txt", "good.png", "other.png"]])
    tab.wait_for_selector("#host .intake-status:has-text('good.png is taken; 2 more left out')")
    assert wait_for(tab, 1) == [["good.png", 30, 20]]
    tab.evaluate(drop, [picture, ["bad.txt", "bad.png"]])
    tab.wait_for_selector("#host .intake-problem:has-text('bad.txt: this browser cannot read it')")
    assert len(wait_for(tab, 1)) == 1


def test_settings_layers_and_charts_explain_themselves(tab: Any, context: Any) -> None:
    mount(tab, context, "() => { for (const each of document.querySelectorAll('fieldset')) each.disabled = false; }")
    tip = tab.locator(".tip")
    tab.hover("label[for=set-objective]")
    tip.wait_for()
    assert "What D and G minimize" in tip.inner_text()
    tab.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    tab.keyboard.press("Tab")
    tab.focus("#set-d_rate")
    tip.wait_for()
    assert "How far one move changes D" in tip.inner_text()
    describing = (
        "each => each.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join('')"
    )
    silent = """kind => [...document.querySelectorAll(kind)].filter((each) =>
        !(each.getAttribute("aria-describedby") ?? "").split(" ").some((id) => document.getElementById(id)?.textContent))
        .map((each) => each.id || each.outerHTML)"""
    for kind in ("#settings select, #settings input:not([type=file])", "#layers input", "#charts .hint", ".tools button"):
        assert tab.locator(kind).count() > 3 or kind.startswith(".tools")
        assert tab.evaluate(silent, kind) == []
    assert tab.locator("#charts figure").count() == tab.locator("#charts .hint").count() == 7
    assert "penalty on the slope" in tab.locator("#set-r1").evaluate(describing)
