"""Every page in a real browser: usable by everybody, in both themes, on a phone, with hostile names about."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganvas.studio.site import PAGES

pytestmark = pytest.mark.timeout(900)
STRICT = True  # under the pages' own policy
AXE = Path(__file__).with_name("axe.min.js.gz")  # axe-core 4.14.1, MPL-2.0: used here only, not shipped
PAYLOAD = "<img src=x onerror=window.hurt=1>"
PATHS = ["/" if page.name == "home" else f"/{page.name}" for page in PAGES]


def opened(page: Any, context: Any, path: str) -> None:
    page.goto(f"{context.base}{path}")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(page: Any, context: Any, path: str) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        opened(page, context, path)
        page.evaluate(gzip.decompress(AXE.read_bytes()).decode())
        found = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
        assert told == [], theme


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_cut_off_on_a_phone_and_at_200_percent(page: Any, context: Any, path: str) -> None:
    for width in (360, 640):  # 1280 at 200 % is 640 wide
        page.set_viewport_size({"width": width, "height": 800})
        opened(page, context, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_the_play_page_does_keeps_to_its_policy(page: Any, context: Any) -> None:
    small = "width=8&critic_width=8&depth=1&critic_depth=1&batch=16"
    page.goto(f"{context.base}/play#data=gaussians&{small}")
    page.wait_for_selector("#step[data-step='0']")
    page.click("#both")
    page.wait_for_selector("#step[data-step='1']")
    page.focus("#canvas")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("#cross:not([hidden])")
    page.click("#reset")
    page.wait_for_selector(".toast button:has-text('Undo')")
    page.click("#help")
    page.wait_for_selector("#sheet[open]")
    page.keyboard.press("Escape")
    page.click("[data-lesson=tour]")
    page.wait_for_selector("#lesson:not([hidden])")
    page.click("#next")
    page.wait_for_selector("#step[data-step='200']")


def test_names_are_text(page: Any, context: Any, studio: Any) -> None:
    folder = studio.runs / PAYLOAD.replace("/", "")
    folder.mkdir()
    (folder / "recipe.json").write_text(json.dumps({"name": f"{PAYLOAD}<script>window.hurt=1</script>"}))
    for path in PATHS:
        opened(page, context, path)
        assert page.evaluate("window.hurt") is None
    opened(page, context, "/")
    page.wait_for_selector("#runs li")
    assert PAYLOAD in page.locator("#runs").inner_text()


def test_home_leads_to_the_runs_and_to_where_one_begins(page: Any, context: Any, studio: Any) -> None:
    (studio.runs / "00000-a").mkdir()
    (studio.runs / "00000-a" / "recipe.json").write_text('{"name": "gan-ring"}')
    opened(page, context, "/")
    page.click("#runs a >> text=00000-a")
    page.wait_for_selector("#run-title >> text=00000-a")
    opened(page, context, "/")
    page.click("text=See how a GAN learns")
    page.wait_for_selector("#lesson >> text=1 of 5")
    page.wait_for_url(lambda url: "#" in url and not url.endswith(("#", "#tour")))
    assert page.evaluate("document.activeElement.id") == "lesson"


def test_home_has_start_cards_and_the_newest_pictures_and_says_what_is_damaged(page: Any, context: Any, studio: Any) -> None:
    drawn, broken = studio.runs / "00002-drawn", studio.runs / "00003-broken"
    (drawn / "samples").mkdir(parents=True)
    broken.mkdir()
    (drawn / "recipe.json").write_text('{"name": "gan-ring", "game": "gan"}')
    (broken / "recipe.json").write_text("{")
    for name, shade in (("000000.000k", 10), ("000000.064k", 200)):
        Image.new("L", (20, 20), shade).save(drawn / "samples" / f"{name}.png")
    opened(page, context, "/")
    links = page.locator("#starts a").evaluate_all("cards => cards.map((card) => card.getAttribute('href'))")
    assert links == ["./play#tour", "./train#new&recipe=cgan-mnist", "./train#new&own"]
    assert page.locator("#starts img").evaluate_all("all => all.every((image) => image.naturalWidth > 0)")
    shown = page.locator("#runs li:has-text('00002-drawn') img")
    assert shown.get_attribute("src").endswith("/samples/64")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 20
    assert "recipe.json is not readable JSON" in page.inner_text("#runs li:has-text('00003-broken')")
    page.goto(f"{context.base}/train#run=00003-broken")
    page.wait_for_selector("#state[data-state=damaged]")
    assert "recipe.json is not readable JSON" in page.inner_text("#words")
    assert page.locator("#runs button").count() >= 2  # the others are there
    page.click("#steer button:has-text('Delete')")
    page.click("#sure-go")
    page.wait_for_selector(".toast:has-text('00003-broken is deleted')")


def test_what_an_address_names_is_not_under_the_bar_of_a_phone(page: Any, context: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, context, "/")
    place = """() => {
        document.getElementById("pages-title").scrollIntoView();
        return document.getElementById("pages-title").getBoundingClientRect().top;
    }"""
    assert page.evaluate("document.body.style.minHeight = '3000px'") == "3000px"
    assert page.evaluate(place) >= page.locator("header").bounding_box()["height"]


def test_the_theme_is_kept(page: Any, context: Any) -> None:
    opened(page, context, "/")
    page.click("#theme")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    opened(page, context, "/play")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_the_script_of_a_page_is_small() -> None:
    static = Path(__file__).parents[2] / "ganvas" / "studio" / "static"
    assert sum(len(gzip.compress(path.read_bytes())) for path in static.rglob("*.js")) < 200_000


def test_a_policy_stands_between_the_page_and_foreign_script(chromium: Any, studio: Any) -> None:
    context = chromium.new_context()
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(studio.link())
    page.wait_for_selector(".card")
    page.evaluate(
        "() => { try { document.body.innerHTML = '<img src=x onerror=window.hurt=1>'; } catch { window.refused = 1; } }"
    )
    assert page.evaluate("[window.refused, window.hurt]") == [1, None]
    context.close()
