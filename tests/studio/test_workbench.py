"""The workbench: in a window the picture, its caption and its controls are on the first screen, and nothing jumps."""

from __future__ import annotations

from typing import Any

import pytest

from ganvas.studio.page import HERE
from ganvas.studio.site import PAGES

pytestmark = pytest.mark.timeout(900)
SIZES = [(1280, 720), (1440, 900)]
WORKBENCHES = [page.name for page in PAGES if 'class="workbench' in (HERE / "html" / f"{page.name}.html").read_text()]
SMALL = "width=8&critic_width=8&depth=1&critic_depth=1&batch=16"
# What is not whole inside the window, of what is there at all.
CUT = """() => [".view", ".whole", ".caption", ".controls"].filter((selector) => {
    const found = document.querySelector(`.workbench ${selector}`);
    const box = found?.getBoundingClientRect();
    return box?.width && (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth);
})"""
BOXES = """() => ["#canvas", "#play", ".caption", "#settings", "#charts"].map((selector) => {
    const { x, y, width, height } = document.querySelector(selector).getBoundingClientRect();
    return [x, y, width, selector === "#canvas" ? height : 0].map(Math.round);
})"""


@pytest.mark.parametrize("name", WORKBENCHES)
def test_a_page_fills_the_window_and_does_not_scroll(page: Any, context: Any, name: str) -> None:
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{context.base}/{name}")
        page.wait_for_load_state("networkidle")
        scroll = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert page.evaluate(scroll) == [width, height]
        assert page.evaluate(CUT) == []


def test_nothing_jumps_when_the_first_picture_comes(page: Any, context: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.add_init_script("window.WebSocket = class { send() {} close() {} };")  # no engine answers
    page.goto(f"{context.base}/play#data=ring&{SMALL}")
    page.wait_for_selector("[data-lesson=tour]")
    before = page.evaluate(BOXES)
    other = context.new_page()
    other.set_viewport_size({"width": 1280, "height": 720})
    other.goto(f"{context.base}/play#data=ring&{SMALL}")
    other.wait_for_function("document.getElementById('step').dataset.step !== undefined")
    assert other.evaluate(BOXES) == before
    assert before[0][2] >= 360  # the picture
    other.close()


@pytest.mark.parametrize("size", SIZES)
def test_in_the_tour_and_in_lessons_the_words_stand_beside_the_whole_picture(
    page: Any, context: Any, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{context.base}/play#data=gaussians&{SMALL}")
    page.wait_for_function("document.getElementById('step').dataset.step !== undefined")
    for lesson in page.locator("[data-lesson]").all():
        lesson.click()
        page.wait_for_selector("#lesson:not([hidden])")
        assert page.evaluate(CUT) == []
        inside = "(box => box.bottom <= innerHeight && box.top >= 0)(document.getElementById('lesson').getBoundingClientRect())"
        assert page.evaluate(inside)
        whole = "(box => box.scrollHeight <= box.clientHeight + 1)(document.getElementById('lesson'))"
        assert page.evaluate(whole), page.inner_text("#lesson")
        button = page.locator("#lesson button").first.bounding_box()
        assert button["y"] + button["height"] <= size[1]
