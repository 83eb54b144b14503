"""The exported page in a real browser, opened from a file: the same pictures as in Python, usable by everybody, no network."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.core.capabilities import Samples
from ganvas.errors import UsageError
from ganvas.export import demo_page
from ganvas.export.demo_page import FOLDER, make_page
from ganvas.export.graphs import make_graph, make_steered_graph
from ganvas.export.onnx_file import to_onnx
from ganvas.inference.model import Model
from ganvas.latents.seed_latents import latents

pytest.importorskip("onnxscript", reason="the extra `export` is not installed: pip install 'ganvas[export]'")
pytestmark = pytest.mark.timeout(900)
HOSTILE = "<img src=x onerror=window.hurt=1></script>/*model*/"
Make = Callable[[str], Model]
READ = """() => {
  const canvas = document.querySelector('#output canvas');
  return Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data);
}"""


def write_page(model: Model, folder: Path, to: str | None = None) -> Path:
    graph = make_steered_graph(model) if isinstance(model.game, Samples) else make_graph(model, to)
    path = folder / "page.html"
    path.write_bytes(make_page(model, graph, to_onnx(graph, {}), {"Data": HOSTILE}))
    return path


def wait(tab: Any, state: str = "ready") -> None:
    tab.wait_for_selector(f"html[data-state={state}]", state="attached")


def open_page(tab: Any, path: Path) -> None:
    tab.goto(path.as_uri())
    wait(tab)
    assert tab.asked == [path.as_uri()]  # one file, and nothing else


def read_picture(tab: Any) -> np.ndarray[Any, Any]:
    """The output uint8 [H, W, 3]."""
    flat = np.array(tab.evaluate(READ), np.uint8).reshape(-1, 4)[:, :3]
    side = round(len(flat) ** 0.5)
    return flat.reshape(side, side, 3)


def set_seed(tab: Any, seed: int) -> None:
    """Type a seed, and wait for its picture."""
    tab.fill("input[type=number]", str(seed))
    tab.wait_for_selector(f"#output canvas[aria-label='Output of seed {seed}']")
    wait(tab)


@pytest.mark.parametrize(("seed", "size"), [(0, 1), (7, 15), (3, 16), (2, 17), (5, 64), (123_456, 100), (2**32 - 1, 512)])
def test_the_noise_of_a_seed_is_that_of_pytorch(tab: Any, seed: int, size: int) -> None:
    script = (FOLDER / "seeds.js").read_text()
    found = tab.evaluate(f"() => {{ {script}; return Array.from(drawLatent({seed}, {size})); }}")
    np.testing.assert_allclose(found, latents([seed], size)[0].numpy(), rtol=0, atol=2e-6)


def press_keys(tab: Any, pad: str) -> None:
    """Draw a line on a pad with keys alone, and wait for the output."""
    tab.locator(pad).first.focus()
    before = tab.evaluate(READ.replace("#output canvas", pad))
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate(READ.replace("#output canvas", pad)) == before  # the brush moves, and is no part of the picture
    for key in ("Shift+ArrowDown", "Shift+ArrowDown", "Enter"):
        tab.keyboard.press(key)
    assert tab.evaluate(READ.replace("#output canvas", pad)) != before
    assert tab.inner_text(".unseen").startswith("Column ")
    tab.wait_for_timeout(1_000)
    wait(tab)


def test_the_page_makes_the_pictures_of_python(tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any) -> None:
    model = lively_model("cgan-mnist")
    model.card["classes"][3] = HOSTILE
    path = write_page(model, tmp_path)
    assert len(path.read_bytes()) < 16_000_000
    open_page(tab, path)
    tab.click("fieldset:has(legend:text-is('Class')) button >> nth=3")
    for seed in (1, 12_345, 2**31 + 3):
        set_seed(tab, seed)
        expected = model.sample(1, seed=seed, label=3)[0]
        assert np.ptp(expected) > 60  # else any seed would do
        assert np.abs(read_picture(tab).astype(int) - expected.astype(int)).max() <= 1
        other = model.sample(1, seed=seed + 1, label=3)[0]
        assert np.abs(other.astype(int) - expected.astype(int)).max() > 20
    before = read_picture(tab)
    tab.fill("input[type=range] >> nth=0", "2")
    tab.wait_for_timeout(500)
    assert np.abs(read_picture(tab).astype(int) - before.astype(int)).max() > 10
    tab.click("#more button >> nth=2")
    wait(tab)
    assert tab.input_value("input[type=number]") == str(2**31 + 3 + 3)
    assert tab.evaluate("window.hurt") is None
    assert HOSTILE in tab.inner_text("#facts")
    tab.fill("input[type=number]", "4294967296")
    assert tab.inner_text("#controls .hint.bad").endswith(f"is still that of seed {2**31 + 3 + 3}.")
    tab.keyboard.press("Tab")
    assert tab.input_value("input[type=number]") == str(2**31 + 3 + 3)
    for width in (360, 1100):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert list_violations(tab) == []
        if width == 360:  # the output stays in view beside the controls, and leaves most of the screen to them
            assert tab.locator(".stage").bounding_box()["height"] < 300


@pytest.mark.slow
def test_a_picture_becomes_that_of_python(tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any) -> None:
    model = lively_model("pix2pix-emoji")
    open_page(tab, write_page(model, tmp_path))
    side = model.game.config.resolution  # type: ignore[attr-defined]
    random = np.random.default_rng(0)
    given = random.integers(0, 256, (4, 4, 3), np.uint8).repeat(side // 4, 0).repeat(side // 4, 1)
    Image.fromarray(given).save(tmp_path / "given.png")
    tab.set_input_files("input[type=file]", tmp_path / "given.png")
    expected = model.translate(given[None])[0]
    tab.wait_for_timeout(1_000)
    wait(tab)
    assert np.abs(read_picture(tab).astype(int) - expected.astype(int)).max() <= 1
    before = read_picture(tab)
    draw_stroke(tab, ".pad")
    assert (read_picture(tab) != before).any()
    with tab.expect_file_chooser() as chooser:
        tab.click("input[type=file]")
    chooser.value.set_files(tmp_path / "given.png")
    tab.wait_for_timeout(1_000)
    wait(tab)
    assert (read_picture(tab) == before).all()  # the same file once more takes the drawing away
    press_keys(tab, ".pad")
    assert (read_picture(tab) != before).any()
    tab.evaluate("scrollTo(0, 0)")
    tab.set_viewport_size({"width": 360, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert list_violations(tab) == []
    tab.set_input_files("input[type=file]", __file__)
    wait(tab, "error")
    assert "no picture" in tab.inner_text("#status")


def draw_stroke(tab: Any, pad: str) -> None:
    """Draw a line across a pad with the mouse, and wait for the output."""
    tab.locator(pad).first.scroll_into_view_if_needed()
    box = tab.locator(pad).first.bounding_box()
    tab.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"], steps=4)
    tab.mouse.up()
    tab.wait_for_timeout(1_000)
    wait(tab)


@pytest.mark.slow
def test_a_drawn_map_becomes_that_of_python(tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any) -> None:
    model = lively_model("spade-earth")
    open_page(tab, write_page(model, tmp_path))
    tab.click("fieldset:has(legend:text-is('Map')) [aria-label='Class to draw'] button >> nth=2")
    draw_stroke(tab, ".pad")
    press_keys(tab, ".pad")
    assert tab.inner_text(".unseen").endswith(model.game.config.legend[2])  # type: ignore[attr-defined]
    set_seed(tab, 9)
    drawn = np.array(tab.evaluate(READ.replace("#output canvas", ".pad")), np.uint8).reshape(-1, 4)[:, :3]
    colors = np.array(model.game.config.colors)  # type: ignore[attr-defined]
    ids = (drawn[:, None].astype(int) != colors).any(-1).argmin(1).astype(np.uint8)
    side = round(len(ids) ** 0.5)
    assert (ids == 2).any()
    expected = model.paint(ids.reshape(side, side), seed=9)
    assert np.abs(read_picture(tab).astype(int) - expected.astype(int)).max() <= 1
    assert list_violations(tab) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["stylegan2-fashion-conditional", "voxel-shapes", "gan-ring", "inpaint-photos", "motion-emoji"]
)
def test_every_kind_of_page_runs_and_is_accessible(
    name: str, tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any
) -> None:
    open_page(tab, write_page(lively_model(name), tmp_path))
    assert np.ptp(read_picture(tab)) > 0
    for width in (360, 1100):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert list_violations(tab) == []


@pytest.mark.slow
def test_a_model_that_fills_no_cell_says_so(tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any) -> None:
    model = lively_model("voxel-shapes")
    open_page(tab, write_page(model, tmp_path))
    assert tab.get_by_text("Nothing is solid here").is_hidden()
    for weight in model.game.parameters():  # type: ignore[attr-defined]
        weight.data.zero_()
    list(model.game.parameters())[-1].data.fill_(-1)  # type: ignore[attr-defined]
    assert (model.sample(2) <= 127).all()
    tab.asked.clear()
    open_page(tab, write_page(model, tmp_path))
    assert tab.get_by_text("Nothing is solid here").is_visible()
    assert list_violations(tab) == []


@pytest.mark.slow
def test_lines_are_those_of_python(tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any) -> None:
    model = lively_model("textlm-names")
    open_page(tab, write_page(model, tmp_path))
    lines = [each.inner_text() for each in tab.locator("#output li").all()]
    assert lines == [line.strip() for line in model.lines(len(lines))]
    assert list_violations(tab) == []


@pytest.mark.slow
def test_probabilities_are_those_of_python(tab: Any, lively_model: Make, tmp_path: Path, list_violations: Any) -> None:
    model = lively_model("classifier-mnist")
    path = write_page(model, tmp_path)
    open_page(tab, path)
    graph = make_graph(model)
    side = graph.inputs[0].shape[-1]
    given = np.random.default_rng(1).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(given).save(tmp_path / "given.png")
    tab.set_input_files("input[type=file]", tmp_path / "given.png")
    tab.wait_for_timeout(1_000)
    wait(tab)
    import torch

    shares = graph.compute(torch.from_numpy(given)[None, None].float() / 127.5 - 1).softmax(1)[0]
    best = tab.inner_text(".bars .name.best")
    assert best == model.card["classes"][int(shares.argmax())]
    assert abs(float(tab.inner_text(".bars .value.best").removesuffix(" %")) / 100 - float(shares.max())) < 0.002
    assert list_violations(tab) == []


@pytest.mark.slow
def test_a_damaged_page_says_so(tab: Any, lively_model: Make, tmp_path: Path) -> None:
    path = write_page(lively_model("gan-ring"), tmp_path)
    text = path.read_text()
    model = re.search(r'id="model">([^<]*)<', text)
    assert model
    broken = base64.b64encode(b"no gzip at all").decode()
    path.write_text(text.replace(model[1], broken))
    tab.goto(path.as_uri())
    wait(tab, "error")
    assert "page is damaged" in tab.inner_text("#status")


def test_too_large_a_page_is_refused(lively_model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_page, "MOST", 1_000_000)
    model = lively_model("gan-ring")
    with pytest.raises(UsageError, match="the page would have"):
        make_page(model, make_steered_graph(model), b"", {})


def test_a_solid_cannot_be_drawn_on_a_page(lively_model: Make) -> None:
    model = lively_model("classifier-shapes")
    with pytest.raises(UsageError, match=r"no control for the input real of shape 1 x 32 x 32 x 32; .*--onnx"):
        make_page(model, make_graph(model), b"", {})


def test_text_cannot_leave_its_place() -> None:
    packed = demo_page._as_json({"name": HOSTILE})
    assert "<" not in packed
    assert json.loads(packed) == {"name": HOSTILE}
