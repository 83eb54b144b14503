"""What the page Play draws, by its modules alone: arrows, colors of classes, points of a brush; and what it shows at first."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(900)
CELL = 26  # pixels within which arrows are one
REGIONS = """async (count) => {
    const { drawRegions } = await import("./static/play/drawing/regions.js");
    const { colour } = await import("./static/common/shell.js");
    const host = document.createElement("div");
    host.style.width = "300px";
    const canvas = document.createElement("canvas");
    canvas.style.width = "300px";
    host.append(canvas);
    document.querySelector(".head").append(host);
    const regions = Float32Array.from({ length: 2 * count }, (_, i) => i % count);
    regions.shape = [2, count]; // each class is a column
    drawRegions(canvas, { reach: 1, dims: 1 }, { regions, real: [] });
    const context = canvas.getContext("2d");
    const y = Math.round(canvas.height / 8); // far from the border and from the numbers
    const found = Array.from({ length: count }, (_, k) => {
        const x = Math.round(((k + 0.5) * canvas.width) / count);
        return Array.from(context.getImageData(x, y, 1, 1).data.slice(0, 3));
    });
    host.remove();
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = colour("--ink");
    probe.fillRect(0, 0, 1, 1);
    return [found, Array.from(probe.getImageData(0, 0, 1, 1).data.slice(0, 3))];
}"""
LIVE = """() => [...document.querySelectorAll(".play button, .play select, .play input, .play a")]
    .filter((each) => !each.matches(":disabled, .hint") && each.offsetParent).map((each) => each.id || each.outerHTML)"""


@pytest.fixture(scope="module")
def tab(context: Any, silent_tab: Any) -> Any:
    """One tab of the page Play, whose engine does not answer."""
    silent_tab.goto(f"{context.base}/play")
    silent_tab.wait_for_selector("[data-lesson=tour]", state="attached")
    return silent_tab


def test_before_the_engine_answers_nothing_looks_live_and_the_picture_says_why(tab: Any) -> None:
    assert tab.evaluate(LIVE) == []
    assert tab.locator("#veil").is_visible()
    assert tab.inner_text("#veil-words") == "Starting the engine"
    assert tab.inner_text("#summary") == "The first picture is on its way."
    assert tab.get_attribute("#canvas", "aria-label") == "The game has not begun"
    box, veil = tab.locator("#canvas").bounding_box(), tab.locator("#veil").bounding_box()
    assert min(box["width"], box["height"]) >= 300  # its place is kept
    assert box["x"] <= veil["x"]
    assert veil["x"] + veil["width"] <= box["x"] + box["width"] + 1


def group(tab: Any, starts: list[list[float]], pulls: list[list[float]]) -> Any:
    script = "async ([starts, pulls]) => (await import('./static/play/drawing/arrows.js')).groupArrows(starts, pulls)"
    return tab.evaluate(script, [starts, pulls])


def test_arrows_that_begin_close_together_are_their_mean(tab: Any) -> None:
    crowd = [[5.0 + 0.1 * i, 7.0] for i in range(80)]  # a generator that makes one mode
    pulls = [[3.0, 1.0 if i % 2 else -1.0] for i in range(80)]
    (one,) = group(tab, crowd, pulls)
    assert one == pytest.approx({"x": 8.95, "y": 7, "dx": 3, "dy": 0, "count": 80})


def test_arrows_of_different_places_stay_apart(tab: Any) -> None:
    starts = [[CELL * i + 1.0, CELL * k + 1.0] for i in range(3) for k in range(3)]
    found = group(tab, starts, [[1.0, 0.0]] * 9)
    assert sorted((each["x"], each["y"]) for each in found) == sorted(map(tuple, starts))
    assert all(each["count"] == 1 for each in found)
    assert group(tab, [[-1.0, 1.0], [1.0, 1.0]], [[0.0, 1.0]] * 2)[0]["count"] == 1  # also left of the picture
    assert group(tab, [], []) == []


def linearize(color: list[int]) -> list[float]:
    """sRGB, 0 to 255 -> linear light, 0 to 1."""
    return [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in color]


def to_oklab(color: list[int]) -> tuple[float, float, float]:
    """sRGB -> OKLab. Source: bottosson.github.io/posts/oklab."""
    r, g, b = linearize(color)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def luminance(color: list[int]) -> float:
    """The relative luminance of WCAG."""
    r, g, b = linearize(color)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_of_ten_classes_share_a_color_and_the_numbers_are_legible(tab: Any, theme: str) -> None:
    tab.emulate_media(color_scheme=theme)
    for count in range(2, 11):
        colors, ink = tab.evaluate(REGIONS, count)
        pairs = itertools.combinations(map(to_oklab, colors), 2)
        assert min(math.dist(*pair) for pair in pairs) > 0.05, count  # 0.02 is just noticeable
        for color in colors:
            light, dark = sorted([luminance(color), luminance(ink)], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def make_points(tab: Any, strokes: list[dict[str, Any]], most: int = 2000) -> Any:
    script = "async (facts) => (await import('./static/play/brush_points.js')).makePoints(...facts)"
    return tab.evaluate(script, [strokes, most, 1.25])


def draw(points: list[list[float]], size: float = 0.02, erases: bool = False) -> dict[str, Any]:
    return {"points": points, "size": size, "erases": erases}


def test_a_stroke_becomes_points_along_its_way_and_across_the_brush(tab: Any) -> None:
    assert make_points(tab, [draw([[0.5, 0.5]])]) == [[0, 0]]
    thin = make_points(tab, [draw([[0.1, 0.5], [0.6, 0.5]])])
    assert len(thin) == pytest.approx(51, abs=1)
    assert {y for _, y in thin} == {0}
    wide = make_points(tab, [draw([[0.1, 0.5], [0.6, 0.5]], size=0.2)])
    assert len(wide) == 10 * len(thin)
    assert max(y for _, y in wide) == pytest.approx(0.25, abs=0.03)  # half a brush, of a field that is 2.5 wide
    assert min(y for _, y in wide) == pytest.approx(-0.25, abs=0.03)
    edge = make_points(tab, [draw([[0.0, 0.0]], size=0.2)])
    assert len(edge) == 100
    assert max(abs(value) for point in edge for value in point) <= 1.25  # none outside the field


def test_the_eraser_takes_what_it_touches_and_the_order_counts(tab: Any) -> None:
    line, rubber = draw([[0.1, 0.5], [0.9, 0.5]]), draw([[0.5, 0.1], [0.5, 0.9]], size=0.2, erases=True)
    left = make_points(tab, [line, rubber])
    assert all(abs(x) > 0.25 - 1e-6 for x, _ in left)
    assert 50 < len(left) < 70
    assert len(make_points(tab, [rubber, line])) == len(make_points(tab, [line]))


def test_more_points_than_there_can_be_are_thinned_evenly(tab: Any) -> None:
    found = make_points(tab, [draw([[0.0, 0.5], [1.0, 0.5]], size=0.2)], 100)
    assert len(found) == 100
    assert min(x for x, _ in found) < -1.1
    assert max(x for x, _ in found) > 1.1
