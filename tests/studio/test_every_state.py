"""Every state of every page in a real browser: axe in both themes and in forced colors, widths, words, and the way by keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import translate_models
from PIL import Image
from support import miniature

from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.utils.settings import to_dict

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SMALL = "width=8&critic_width=8&depth=1&critic_depth=1&batch=16"
WIDTHS = (360, 640, 1280)  # a phone; 1280 at 200 %; a small window
MAX_STOPS = 150  # of the Tab key
MODELS = {
    "mover": "motion-emoji",
    "digits": "cgan-mnist",
    "styled": "stylegan2-fashion",
    "names": "textlm-names",
    "sorter": "classifier-mnist",
}
# Words that are broken inside: a line begins in the middle of one. What a person or a file named may break anywhere.
BROKEN = """() => {
    const found = [];
    const named = "code, pre, textarea, [data-run], .name, #run-title, #caption, #model, option, .unseen, .words > a";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const holder = node.parentElement;
        if (!holder.checkVisibility() || holder.closest(named)) continue;
        for (const match of node.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
            const range = document.createRange();
            range.setStart(node, match.index);
            range.setEnd(node, match.index + match[0].length);
            const boxes = [...range.getClientRects()].filter(({ width }) => width > 0.5);
            const tops = new Set(boxes.map(({ top }) => Math.round(top)));
            if (tops.size > 1) found.push(match[0]);
        }
    }
    return found;
}"""
# Marks of a source text that a person should not see.
RAW = """() => document.body.innerText.match(/`[^`\\n]*`|\\*\\*|\\bundefined\\b|\\bNaN\\b|\\[object /g) ?? []"""
# Text that does not fit into its button, box of choices or heading.
CUT = """() => [...document.querySelectorAll("button, .button, h1, h2, h3, summary, label")]
    .filter((each) => each.checkVisibility() && !each.closest(".unseen") && each.clientWidth > 1
        && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible")
    .map((each) => each.id || each.textContent)"""
# Controls that do not explain themselves. A card of a recipe and the box of a layer say all beside them.
SILENT = """() => [...document.querySelectorAll("main :is(select, textarea, input)")]
    .filter((each) => each.checkVisibility() && !each.matches("[type=file], [type=radio], #choice, #mixing #layers input"))
    .filter((each) => !(each.getAttribute("aria-describedby") ?? "").split(" ")
        .some((id) => document.getElementById(id)?.textContent.trim()))
    .map((each) => each.id || each.getAttribute("aria-label") || each.outerHTML)"""
# Where the focus is: what cannot be seen of it is "hidden" (WCAG 2.4.11), and it must have an outline (2.4.7).
FOCUS = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return null;
    const text = here.getAttribute("aria-label") || here.textContent.trim();
    const name = here.id || text.slice(0, 40) || here.outerHTML.slice(0, 80);
    const box = here.getBoundingClientRect();
    const shows = here.matches("input.unseen") ? here.nextElementSibling ?? here : here;
    const [left, right] = [Math.max(0, box.left + 2), Math.min(innerWidth - 1, box.right - 2)];
    const [top, bottom] = [Math.max(0, box.top + 2), Math.min(innerHeight - 1, box.bottom - 2)];
    const places = [[left, top], [right, top], [(left + right) / 2, (top + bottom) / 2], [left, bottom], [right, bottom]];
    const isSeen = places.some(([x, y]) => {
        const there = x >= 0 && y >= 0 && document.elementFromPoint(x, y);
        return there && (here.contains(there) || here.labels?.[0]?.contains(there));
    });
    const { outlineStyle, outlineWidth } = getComputedStyle(shows);
    return { name, isHidden: !isSeen, isBare: outlineStyle === "none" || outlineWidth === "0px" };
}"""


def open_page(page: Any, base: str, path: str) -> None:
    page.goto("about:blank")  # or a page whose hash alone is another would not be loaded again
    page.goto(f"{base}{path}")
    page.wait_for_load_state("networkidle")


def play(page: Any, base: str, link: str = "") -> None:
    open_page(page, base, f"/play#data=ring&{SMALL}{link}")
    page.wait_for_function(
        "document.getElementById('step').dataset.step !== undefined && document.getElementById('veil').hidden"
    )


def play_beside(page: Any, base: str) -> None:
    play(page, base, "&beside=both&do=b5")
    page.click("#slow")
    page.click("#both")
    page.wait_for_selector("#stage-words:not([hidden])")
    page.locator("#settings summary").evaluate_all("all => all.forEach((each) => { each.parentElement.open = true; })")


def open_lesson(name: str) -> Callable[[Any, str], None]:
    def begin(page: Any, base: str) -> None:
        play(page, base)
        page.click(f"[data-lesson={name}]")
        page.wait_for_selector("#lesson:not([hidden])")
        page.wait_for_function("document.getElementById('veil').hidden")

    return begin


def draw_data(page: Any, base: str) -> None:
    play(page, base)
    page.click("text=Draw your own")
    page.locator("#pad canvas").press("Enter")


def play_digits(page: Any, base: str) -> None:
    play(page, base, "&optimiser=sgd&g_moves=2")
    page.click("#bridge")
    page.wait_for_function("document.getElementById('digits-words').textContent.startsWith('Step')")
    page.click("#digits-start")  # it stops


def ask_help(page: Any, base: str) -> None:
    play(page, base)
    page.click("#help")
    page.wait_for_selector("#sheet[open]")


def fill_form(page: Any, base: str) -> None:
    open_page(page, base, "/train#new&recipe=gan-ring&set.train.batch=32")
    page.wait_for_selector("input[value=gan-ring]:checked")
    page.wait_for_selector("#offered tr")
    page.fill("#extra", "banana")
    page.click("#go")
    page.wait_for_selector("#start-error:not([hidden])")


def view_run(view: str) -> Callable[[Any, str], None]:
    def view_it(page: Any, base: str) -> None:
        open_page(page, base, "/train#run=00001-a-run-with-a-long-name-and-a-picture")
        page.wait_for_function("document.getElementById('picture').naturalWidth > 0")
        page.click(f"button[data-view={view}]")

    return view_it


def fail_to_explore(page: Any, base: str) -> None:
    open_page(page, base, "/explore#model=sorter")  # a classifier makes no pictures
    page.wait_for_selector("#problem:not([hidden])")


def explore(model: str) -> Callable[[Any, str], None]:
    def explore_it(page: Any, base: str) -> None:
        open_page(page, base, f"/explore#model={model}")
        page.wait_for_selector("#explore:not([hidden])")
        page.wait_for_function("document.getElementById('veil').hidden")

    return explore_it


def edit(model: str, then: str = "") -> Callable[[Any, str], None]:
    def edit_it(page: Any, base: str) -> None:
        open_page(page, base, f"/edit#model={model}&seed=1")
        page.wait_for_selector("#work:not([hidden])")
        page.wait_for_selector("#veil", state="hidden")
        if then:
            page.click(then)

    return edit_it


def animate(page: Any, base: str) -> None:
    open_page(page, base, "/animate#model=mover")
    page.wait_for_selector("#work:not([hidden])")
    page.wait_for_selector("#veil", state="hidden")
    page.click("#play")


def translate(model: str, then: str = "") -> Callable[[Any, str], None]:
    def translate_it(page: Any, base: str) -> None:
        open_page(page, base, f"/translate#model={model}{then}")
        page.wait_for_function("document.getElementById('veil').hidden")

    return translate_it


EMPTY = {
    "home without runs": lambda page, base: open_page(page, base, "/"),
    "train without runs": lambda page, base: open_page(page, base, "/train"),
    "explore without models": lambda page, base: open_page(page, base, "/explore"),
    "edit without models": lambda page, base: open_page(page, base, "/edit"),
    "animate without models": lambda page, base: open_page(page, base, "/animate"),
    "translate without models": lambda page, base: open_page(page, base, "/translate"),
}
STATES: dict[str, Callable[[Any, str], None]] = {
    "home": lambda page, base: open_page(page, base, "/"),
    "play": play_beside,
    "tour": open_lesson("tour"),
    "collapse": open_lesson("collapse"),
    "vanishing": open_lesson("vanishing"),
    "oscillation": open_lesson("oscillation"),
    "runaway": open_lesson("runaway"),
    "drawing": draw_data,
    "digits": play_digits,
    "help": ask_help,
    "form": fill_form,
    "watch": view_run("watch"),
    "compare": view_run("compare"),
    "settings": view_run("settings"),
    "a missing run": lambda page, base: open_page(page, base, "/train#run=nothing"),
    **{f"explore {model}": explore(model) for model in ("digits", "styled", "names")},
    "a model that makes nothing": fail_to_explore,
    "edit with a step": edit("digits", "#add-morph"),
    "edit by brush": edit("styled", "#paint"),
    "edit by drag": edit("styled", "#drag"),
    "animate": animate,
    **{f"translate {model}": translate(model) for model in ("painter", "cycle", "filter", "filler")},
    "translate a drawing": translate("shader", "&mode=draw"),
    "translate before and after": translate("larger", "&view=compare"),
}


def furnish(runs: Path) -> None:
    """Runs with pictures, models in miniature, and one that is damaged."""
    translate_models.furnish(runs)
    for name, recipe_name in MODELS.items():
        recipe, data = miniature(recipe_name)
        torch.manual_seed(3)
        (runs / name).mkdir()
        card = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
        model_file.save(runs / name / "model.safetensors", build(recipe).eval(), card)
        (runs / name / "recipe.json").write_text(json.dumps(to_dict(recipe)))
    for name in ("00001-a-run-with-a-long-name-and-a-picture", "00002-b"):
        recipe, _ = miniature("dcgan-mnist")
        (runs / name / "samples").mkdir(parents=True)
        (runs / name / "recipe.json").write_text(json.dumps(to_dict(recipe)))
        for moment in ("000000.000k", "000000.064k"):
            Image.new("L", (290, 290), 90).save(runs / name / "samples" / f"{moment}.png")
    (runs / "00003-damaged").mkdir()
    (runs / "00003-damaged" / "recipe.json").write_text("{")


@pytest.fixture(scope="module")
def furnished(studio: Any) -> None:
    furnish(studio.runs)


def list_faults(page: Any, list_violations: Any) -> dict[str, Any]:
    """What is wrong with the state that a page is in; no entry: nothing."""
    faults: dict[str, Any] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 720 if width == 1280 else 740})
        page.wait_for_timeout(150)
        if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
            faults[f"{width}: wider"] = found
        for kind, script in (("broken", BROKEN), ("cut", CUT), ("raw", RAW), ("silent", SILENT)):
            if found := page.evaluate(script):
                faults[f"{width}: {kind}"] = found
        if stops := follow_tabs(page):
            faults[f"{width}: keys"] = stops
    if found := list_violations(page):
        faults["axe"] = found
    return faults


def follow_tabs(page: Any) -> list[str]:
    """The names of the places where the Tab key leads and the focus cannot be seen."""
    page.evaluate("document.activeElement.blur()")
    names: list[str] = []
    bad: list[str] = []
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None or (names and stop["name"] == names[0] and len(names) > 2):
            break
        names.append(stop["name"])
        if stop["isHidden"] or stop["isBare"]:
            bad.append(f"{stop['name']}: {'hidden' if stop['isHidden'] else 'no outline'}")
    return bad


@pytest.mark.parametrize("state", EMPTY)
def test_an_empty_studio_is_usable_by_everybody(page: Any, context: Any, list_violations: Any, state: str) -> None:
    EMPTY[state](page, context.base)
    assert list_faults(page, list_violations) == {}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_usable_by_everybody(page: Any, context: Any, list_violations: Any, state: str, furnished: None) -> None:
    STATES[state](page, context.base)
    assert list_faults(page, list_violations) == {}
