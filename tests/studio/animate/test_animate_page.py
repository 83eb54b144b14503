"""The page /animate in a real browser: a shipped clip, a picture and a clip of one's own, the timeline, films, a phone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from support import begin_untrained, faultless_tab

from ganvas.data.builtin.emoji_clips import DRIVERS, load_driver
from ganvas.inference.animation import animate_clip
from ganvas.inference.model import load

pytestmark = pytest.mark.timeout(900)
READY = "document.getElementById('veil').hidden && !document.querySelector('.save:disabled')"


@pytest.fixture(scope="module")
def runs(studio: Any) -> Path:
    """A model that has not learned."""
    begin_untrained("motion-emoji", Path(studio.runs) / "mover")
    return Path(studio.runs)


@pytest.fixture(scope="module")
def only_tab(context: Any, runs: Path) -> Iterator[Any]:
    """One tab for all tests, so that its process loads its libraries once. Nothing may be thrown in it."""
    with faultless_tab(context) as made:
        made.set_default_timeout(60_000)
        made.goto(f"{context.base}/animate#model=mover")
        made.wait_for_function(READY)
        yield made


@pytest.fixture
def tab(only_tab: Any) -> Any:
    only_tab.set_viewport_size({"width": 1280, "height": 720})
    return only_tab


def wait_for(tab: Any, words: str) -> None:
    tab.wait_for_function("(words) => document.getElementById('said').textContent.startsWith(words)", arg=words)
    tab.wait_for_function(READY)


def draw_ball(at: int) -> Image.Image:
    picture = Image.new("RGB", (80, 80), "white")
    ImageDraw.Draw(picture).ellipse((at, 20, at + 30, 50), fill=(200, 40, 40))
    return picture


def test_a_shipped_clip_moves_its_own_first_frame(tab: Any, runs: Path) -> None:
    tab.click(f"#drivers >> text={DRIVERS[1]}")
    wait_for(tab, f"{DRIVERS[1]} · 24 frames")
    tab.click("#play")
    assert tab.locator("#play").inner_text() == "Play"
    tab.locator("#frame").fill("5")
    shown = tab.evaluate("[...document.getElementById('result').getContext('2d').getImageData(0, 0, 64, 64).data]")
    first = load_driver(DRIVERS[0])[0]
    wanted = animate_clip(load(runs / "mover"), first, list(load_driver(DRIVERS[1]))).frames[5]
    pixels = np.array(shown, np.uint8).reshape(64, 64, 4)[: wanted.shape[0], : wanted.shape[1], :3]
    assert np.array_equal(pixels, wanted)


def test_the_clip_moves_before_the_model_is_read(context: Any, runs: Path) -> None:
    """Also where the process of the page never starts: the picture is the first frame of the first clip that is shipped."""
    tab = context.new_page()
    tab.route_web_socket("**", lambda _: None)
    tab.goto(f"{context.base}/animate")
    tab.wait_for_function("document.getElementById('said').textContent.includes('the model is being read')")
    assert tab.locator("#drivers [aria-pressed=true]").inner_text() == DRIVERS[0]
    pixels = "(id) => [...document.getElementById(id).getContext('2d').getImageData(0, 0, 64, 64).data]"
    first = np.array(tab.evaluate(pixels, "source"), np.uint8).reshape(64, 64, 4)[..., :3]
    assert np.array_equal(first, load_driver(DRIVERS[0])[0])
    now = "document.getElementById('driving').toDataURL()"
    before = tab.evaluate(now)
    tab.wait_for_function(f"(before) => {now} !== before", arg=before)
    assert tab.locator(".save:disabled").count() == tab.locator(".save").count()
    tab.close()


def test_films_are_saved(tab: Any, runs: Path) -> None:
    """Frames that are equal become one; a model that has not learned hardly moves anything."""
    wanted = animate_clip(load(runs / "mover"), load_driver(DRIVERS[0])[0], list(load_driver(DRIVERS[1]))).frames[0]
    for kind, ending in (("gif", "gif"), ("apng", "png")):
        with tab.expect_download() as given:
            tab.click(f"[data-kind={kind}]")
        assert given.value.suggested_filename.endswith(f".{ending}")
        with Image.open(io.BytesIO(Path(given.value.path()).read_bytes())) as film:
            apart = np.abs(np.asarray(film.convert("RGB")).astype(int) - wanted)
        assert apart.mean() < (0.01 if kind == "apng" else 4)  # a GIF has a palette


def test_a_picture_and_a_clip_of_ones_own(tab: Any, tmp_path: Path) -> None:
    draw_ball(25).save(tmp_path / "ball.png")
    frames = [draw_ball(at) for at in range(10, 40, 3)]
    frames[0].save(tmp_path / "rolling.gif", save_all=True, append_images=frames[1:], duration=60, loop=0)
    tab.set_input_files("#picture-intake input[type=file]", tmp_path / "ball.png")
    tab.set_input_files("#clip-intake input[type=file]", tmp_path / "rolling.gif")
    wait_for(tab, "rolling · 10 frames · motion since frame")
    assert "Cut: picture" in tab.locator("#note").inner_text()
    assert "of the largest" in tab.locator("#motion-said").inner_text()
    tab.check("#absolute")
    wait_for(tab, "rolling · 10 frames · absolute motion")
    assert tab.locator(".gauge").is_visible()
    tab.uncheck("#absolute")
    wait_for(tab, "rolling · 10 frames · motion since frame")


def test_a_dropped_clip_is_the_clip_and_a_dropped_picture_the_picture(tab: Any, tmp_path: Path) -> None:
    frames = [draw_ball(at) for at in range(10, 40, 6)]
    frames[0].save(tmp_path / "thrown.gif", save_all=True, append_images=frames[1:], duration=60, loop=0)
    frames[0].save(tmp_path / "thrown.png", save_all=True, append_images=frames[1:], duration=60, loop=0)
    drop = """([place, name, type, data]) => {
        const carried = new DataTransfer();
        carried.items.add(new File([Uint8Array.from(data)], name, { type }));
        const send = (kind) => {
            const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
            document.querySelector(place).dispatchEvent(event);
            return event.dataTransfer.dropEffect;
        };
        return [send("dragover"), send("drop")];
    }"""
    for place, name, kind in (("#result", "thrown.gif", "image/gif"), ("#drivers", "thrown.png", "image/png")):
        tab.click(f"#drivers >> text={DRIVERS[0]}")
        wait_for(tab, DRIVERS[0])
        tab.evaluate(drop, [place, name, kind, list((tmp_path / name).read_bytes())])
        wait_for(tab, "thrown · 5 frames")
    before = tab.evaluate("document.getElementById('source').toDataURL()")
    Image.new("RGB", (80, 80), (20, 160, 60)).save(tmp_path / "still.png")
    tab.evaluate(drop, ["#result", "still.png", "image/png", list((tmp_path / "still.png").read_bytes())])
    tab.wait_for_function("(before) => document.getElementById('source').toDataURL() !== before", arg=before)
    assert tab.locator("#said").inner_text().startswith("thrown")


def test_what_is_no_clip_is_told_in_a_line(tab: Any, tmp_path: Path) -> None:
    draw_ball(25).save(tmp_path / "still.png")
    (tmp_path / "broken.gif").write_bytes(b"no clip")
    before = tab.locator("#said").inner_text()
    for name, words in (("still.png", "found one picture"), ("broken.gif", "cannot read it as a clip")):
        tab.set_input_files("#clip-intake input[type=file]", tmp_path / name)
        tab.wait_for_function(
            "(words) => document.querySelector('#clip-intake [role=status]').textContent.includes(words)", arg=words
        )
    assert tab.locator("#said").inner_text() == before


def test_the_stage_is_on_the_first_screen_and_a_phone_scrolls_down_only(tab: Any) -> None:
    assert tab.evaluate("document.documentElement.scrollHeight <= innerHeight")
    box = tab.locator(".controls").bounding_box()
    assert box["y"] + box["height"] <= 720
    tab.set_viewport_size({"width": 375, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 375
    assert tab.locator("#result").bounding_box()["y"] < 400  # the picture comes before the tools
