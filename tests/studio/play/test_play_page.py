"""The page /play in a real browser: played, drawn on, rewound, linked, broken."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support import faultless_tab

pytestmark = pytest.mark.timeout(900)  # a browser, a server and a session share this machine with other tests

SMALL = "width=8&critic_width=8&depth=1&critic_depth=1&batch=16"


def begin(page: Any, context: Any, link: str = f"#data=gaussians&{SMALL}") -> None:
    """Open the page at a session and wait for its first picture."""
    page.goto(f"{context.base}/play{link}")
    page.wait_for_function("document.getElementById('step').dataset.step !== undefined")


@pytest.fixture(scope="module")
def tab(context: Any) -> Iterator[Any]:
    """One tab with one session for several tests, each of which goes to a link of its own."""
    with faultless_tab(context) as made:
        begin(made, context)
        yield made


def go(tab: Any, seed: int, link: str = f"data=gaussians&{SMALL}") -> None:
    """Begin a session in a tab that is open; its seed tells that it has come."""
    tab.evaluate("hash => { location.hash = hash; }", f"{link}&seed={seed}")
    tab.wait_for_function(f"document.getElementById('set-seed').value === '{seed}'")


def at_step(page: Any, step: int) -> None:
    page.wait_for_function(f"document.getElementById('step').dataset.step === '{step}'")


def saved(page: Any) -> dict[str, Any]:
    """The run as it is exported."""
    with page.expect_download() as download:
        page.click("#run")
    found: dict[str, Any] = json.loads(Path(download.value.path()).read_text())
    return found


def sessions(studio: Any) -> list[int]:
    """The processes of the play sessions that are open."""
    found = subprocess.run(["pgrep", "-P", str(studio.process.pid), "-f", "play.play_process"], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_step_rewind_and_the_keys(page: Any, context: Any) -> None:
    begin(page, context)
    page.keyboard.press("d")
    at_step(page, 1)
    page.keyboard.press("g")
    at_step(page, 2)
    page.keyboard.press(".")
    at_step(page, 3)
    assert saved(page)["history"] == [["d", 1], ["g", 1], ["b", 1]]
    there = saved(page)["arrays"]["fake"]["values"]
    page.keyboard.press("ArrowLeft")
    at_step(page, 2)
    page.wait_for_function("document.getElementById('time-out').textContent === '1 back'")
    assert saved(page)["arrays"]["fake"]["values"] != there
    page.keyboard.press("ArrowRight")
    at_step(page, 3)
    assert saved(page)["arrays"]["fake"]["values"] == there
    label = page.locator("#canvas").get_attribute("aria-label")
    assert "The critic gives reals 0." in label
    assert "KL" in label
    page.locator(".chart-box summary").first.press("Enter")
    table = page.locator(".chart-box details[open] table")
    table.locator("tbody tr").nth(2).wait_for()  # going back and forward again lost nothing
    assert table.locator("thead th").all_inner_texts()[0] == "step"
    assert all(float(cell) > 0 for cell in table.locator("tbody tr").last.locator("td").all_inner_texts())
    page.focus("#main")  # on a button, Space presses that button
    page.keyboard.press(" ")
    page.wait_for_function("document.getElementById('play').textContent === 'Pause'")
    page.wait_for_function("Number(document.getElementById('step').dataset.step) > 12")
    page.keyboard.press(" ")
    page.wait_for_function("document.getElementById('play').textContent === 'Play'")
    page.keyboard.press("?")
    assert "Play, pause" in page.locator("dialog[open]").inner_text()


def test_a_link_restores_the_state_in_another_tab(page: Any, context: Any) -> None:
    begin(page, context, f"#data=moons&seed=7&{SMALL}")
    for key in ("d", ".", "g"):
        page.keyboard.press(key)
    at_step(page, 3)
    page.select_option("#set-objective", "hinge")
    page.wait_for_function("location.hash.includes('objective')")
    page.keyboard.press(".")
    at_step(page, 4)
    page.wait_for_function("location.hash.endsWith('hinge~b1') || location.hash.endsWith('hinge%7Eb1')")
    first = saved(page)
    other = context.new_page()
    other.goto(page.url)
    other.wait_for_function("document.getElementById('step').dataset.step === '4'")
    second = saved(other)
    for name in ("setup", "history", "step"):
        assert second[name] == first[name]
    assert second["arrays"]["fake"] == first["arrays"]["fake"]
    assert second["arrays"]["surface"] == first["arrays"]["surface"]
    other.keyboard.press(".")  # two tabs are two sessions
    other.wait_for_function("document.getElementById('step').dataset.step === '5'")
    assert page.locator("#step").get_attribute("data-step") == "4"
    other.close()


def test_single_key_shortcuts_can_be_turned_off(page: Any, context: Any) -> None:
    begin(page, context)
    page.keyboard.press("?")
    page.uncheck("#keys-on")
    page.click("dialog[open] >> text=Close")
    page.keyboard.press("d")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0
    page.click("#d")
    at_step(page, 1)
    page.keyboard.press("ArrowLeft")  # no single character
    at_step(page, 0)
    page.reload()
    page.wait_for_function("document.getElementById('step').dataset.step !== undefined")
    page.click("#help")
    assert not page.is_checked("#keys-on")  # kept
    page.check("#keys-on")
    page.click("dialog[open] >> text=Close")
    page.keyboard.press("g")
    page.wait_for_function("location.hash.includes('g1')")


def test_draw_data_by_hand_and_by_keys(tab: Any) -> None:
    go(tab, 11)
    tab.select_option("#set-data", "brush")
    pad = tab.locator("#pad canvas")
    assert tab.locator("#use").is_disabled()
    box = pad.bounding_box()
    tab.mouse.move(box["x"] + 60, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 160, box["y"] + 160, steps=8)
    tab.mouse.up()
    pad.press("ArrowRight")
    pad.press("Enter")
    drawn = tab.locator("#drawn")
    count = int(drawn.inner_text().split()[0])
    assert count >= 20  # one at each hundredth of the way, and the dot
    tab.click("#pad >> text=Clear")
    assert drawn.inner_text() == "0 points"
    for _ in range(2):  # the clearing, and the dot of Enter
        tab.click("#pad >> text=Undo")
    assert drawn.inner_text() == f"{count - 1} points"
    tab.click("#pad >> text=Eraser")
    tab.mouse.move(box["x"] + 160, box["y"] + 160)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 110, box["y"] + 110, steps=8)
    tab.mouse.up()
    assert 0 < int(drawn.inner_text().split()[0]) < 0.7 * count
    tab.click("#pad >> text=Eraser")
    pad.press("Enter")
    tab.click("#use")
    tab.wait_for_function("location.hash.includes('data=brush') && location.hash.includes('at=')")
    run = saved(tab)
    assert run["points"][-1] == [0.078, 0]  # one thirty-second of the field right of its middle
    values = run["arrays"]["real"]["values"]
    assert len(values) == 800
    assert max(map(abs, values)) < 1.5
    tab.keyboard.press(".")
    at_step(tab, 1)


def test_a_dropped_csv_becomes_data_and_a_bad_one_a_line(tab: Any) -> None:
    go(tab, 12)
    hostile = "<img src=x onerror=window.hurt=1>.csv"
    tab.set_input_files("#file", {"name": hostile, "mimeType": "text/csv", "buffer": b"x,y\n1,2\n3,<script>\n"})
    tab.wait_for_selector(".toast.error:has-text('line 3')")
    told = tab.locator(".toast.error").last.inner_text()
    assert hostile in told
    assert "line 3" in told
    rows = "\n".join(f"{i},{i % 7}" for i in range(50))
    tab.set_input_files("#file", {"name": "points.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    tab.wait_for_function("location.hash.includes('data=csv')")
    assert len(saved(tab)["points"]) == 50
    assert tab.evaluate("window.hurt") is None


def test_a_file_may_be_dropped_anywhere(tab: Any) -> None:
    go(tab, 21)
    drop = """([selector, kind]) => {
        const dataTransfer = new DataTransfer();
        if (kind === "file") dataTransfer.items.add(new File(["1,2\\n3,4\\n5,7\\n"], "three.csv"));
        else dataTransfer.setData("text/plain", "1,2");
        const event = (name) => new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
        const at = document.querySelector(selector);
        return ["dragover", "drop"].map((name) => at.dispatchEvent(event(name)));
    }"""
    assert tab.evaluate(drop, [".settings", "text"]) == [True, True]  # left to the browser
    assert tab.evaluate(drop, [".settings", "file"]) == [False, False]
    tab.wait_for_function("location.hash.includes('data=csv')")
    assert len(saved(tab)["points"]) == 3


def test_a_setting_out_of_range_is_restored_with_a_line(tab: Any) -> None:
    go(tab, 23)
    tab.click("summary:has-text('Penalties')")
    field = tab.locator("#set-r1")
    field.fill("-4")
    field.press("Enter")
    why = tab.locator("#set-r1-why")
    assert why.inner_text() == "Expected a number from 0 to 100, not -4: it stays 0."
    assert field.input_value() == "0"
    assert "set-r1-why" in field.get_attribute("aria-describedby").split()
    field.fill("2")
    assert why.is_hidden()
    field.press("Enter")
    tab.wait_for_function("location.hash.includes('r1=2')")
    field.fill("")
    field.press("Enter")
    assert why.inner_text() == "Expected a number from 0 to 100: it stays 2."
    seed = tab.locator("#set-seed")
    seed.fill("1.5")
    seed.press("Enter")
    assert "a whole number" in tab.locator("#set-seed-why").inner_text()
    assert seed.input_value() == "23"


def test_undo_takes_up_the_game_before(tab: Any) -> None:
    go(tab, 25)
    tab.locator("h1").click()  # out of any field
    for _ in range(2):
        tab.keyboard.press(".")
    at_step(tab, 2)
    tab.click("#reset")
    at_step(tab, 0)
    tab.locator(".toast button:has-text('Undo')").last.click()
    at_step(tab, 2)
    tab.wait_for_function("location.hash.includes('do=b2')")
    tab.select_option("#set-data", "moons")
    tab.wait_for_function("location.hash.includes('data=moons')")
    tab.locator("h1").click()
    tab.keyboard.press("Control+z")
    tab.wait_for_function("location.hash.includes('data=gaussians') && location.hash.includes('do=b2')")
    assert tab.locator("#set-data").input_value() == "gaussians"


def test_what_lies_under_the_cross_is_told(tab: Any) -> None:
    go(tab, 26)
    said = tab.locator("#probe")
    tab.focus("#canvas")
    tab.keyboard.press("ArrowUp")
    assert "D 0." in said.inner_text()
    facts = saved(tab)
    x, y = facts["arrays"]["fake"]["values"][:2]
    half, reach = tab.evaluate("document.getElementById('canvas').clientWidth") / 2, facts["reach"]
    tab.locator("#canvas").hover(position={"x": half * (1 + x / reach), "y": half * (1 - y / reach)})
    assert "▲ fake at" in said.inner_text()
    tab.mouse.move(0, 0)
    assert said.inner_text() == ""


def test_a_saved_picture_says_where_it_is_from(tab: Any) -> None:
    go(tab, 28)
    with tab.expect_download() as download:
        tab.click("#png")
    with Image.open(download.value.path()) as image:
        image.load()
        assert "seed=28" in image.text["link"]
        assert image.text["summary"].startswith("Step 0.")


def test_noise_becomes_data_before_your_eyes(tab: Any) -> None:
    go(tab, 27)
    pixels = "document.getElementById('canvas').toDataURL()"
    before = tab.evaluate(pixels)
    tab.locator("h1").click()
    tab.keyboard.press("m")
    tab.wait_for_function(f"before => {pixels} !== before", arg=before)
    tab.wait_for_function(f"before => {pixels} === before", arg=before)


def test_a_hostile_link_is_a_line_and_nothing_more(tab: Any) -> None:
    go(tab, 16)
    tab.evaluate("location.hash = '#data=<img src=x onerror=window.hurt=1>&do=x~<script>:1'")
    tab.wait_for_function("document.getElementById('toasts').textContent.includes('unknown data')")
    assert tab.evaluate("window.hurt") is None


def test_a_refused_link_stays_to_be_corrected(tab: Any) -> None:
    go(tab, 17)
    tab.evaluate("location.hash = '#data=gaussians&do=b10~seed:5'")
    tab.wait_for_selector(".toast.error:has-text('done again')")
    tab.wait_for_timeout(1000)
    assert tab.evaluate("location.hash").endswith("seed:5")
    tab.keyboard.press(".")  # who goes on with what is there gets its link
    tab.wait_for_function("location.hash.includes('do=b1')")


def test_the_death_of_a_session_leaves_the_page_and_the_server_alive(page: Any, context: Any, studio: Any) -> None:
    before = set(sessions(studio))
    begin(page, context)
    page.keyboard.press(".")
    at_step(page, 1)
    (mine,) = set(sessions(studio)) - before
    os.kill(mine, signal.SIGKILL)
    page.wait_for_selector(".toast.error")
    assert "signal 9" in page.locator(".toast.error").inner_text()
    page.click("text=Start it again")
    page.keyboard.press(".")
    at_step(page, 2)  # the step that was taken is taken again, then another


def test_the_link_follows_a_game_that_is_playing(tab: Any) -> None:
    go(tab, 20)
    tab.click("#play")
    tab.wait_for_function("location.hash.includes('do=b')", timeout=60_000)
    first = tab.evaluate("location.hash")
    tab.wait_for_function("hash => location.hash !== hash", arg=first, timeout=60_000)
    assert tab.locator("#play").inner_text() == "Pause"
    tab.click("#play")
    tab.wait_for_function("document.getElementById('play').textContent === 'Play'")


def test_a_hidden_tab_pauses_and_says_so(tab: Any) -> None:
    go(tab, 22)
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    tab.evaluate(hide, True)
    tab.evaluate(hide, False)
    assert "hidden" not in tab.locator("#toasts").inner_text()  # it did not play
    tab.click("#play")
    tab.wait_for_function("document.getElementById('play').textContent === 'Pause'")
    tab.evaluate(hide, True)
    tab.wait_for_function("document.getElementById('play').textContent === 'Play'")
    tab.evaluate(hide, False)
    tab.click("text=Play on")
    tab.wait_for_function("document.getElementById('play').textContent === 'Pause'")
    tab.click("#play")
    tab.wait_for_function("document.getElementById('play').textContent === 'Play'")
    tab.evaluate("delete document.hidden")


def test_reduced_motion_shows_two_pictures_a_second(tab: Any) -> None:
    go(tab, 24)
    tab.emulate_media(reduced_motion="reduce")
    tab.evaluate("""() => {
        window.shown = [];
        const watcher = new MutationObserver(() => window.shown.push(performance.now()));
        watcher.observe(document.getElementById("step"), { childList: true });
    }""")
    tab.click("#play")
    tab.wait_for_function("window.shown.length > 4")
    tab.click("#play")
    tab.wait_for_function("document.getElementById('play').textContent === 'Play'")
    tab.emulate_media(reduced_motion="no-preference")
    times = tab.evaluate("window.shown")
    assert all(b - a > 400 for a, b in itertools.pairwise(times[:4]))


def test_the_bridge_fills_in_the_form_of_a_training(tab: Any, context: Any) -> None:
    go(tab, 31, f"data=gaussians&objective=hinge&d_rate=0.0004&g_rate=0.0002&r1=0.5&{SMALL}")
    tab.click("#bridge")
    link = tab.locator("#digits-train")
    link.wait_for()
    assert "#new&recipe=gan-mnist&seed=31&" in link.get_attribute("href")
    tab.click("#digits-close")
    form = context.new_page()
    form.goto(f"{context.base}/{link.get_attribute('href').removeprefix('./')}")
    form.wait_for_selector("input[value=gan-mnist]:checked")
    assert form.input_value("#seed") == "31"
    lines = form.input_value("#extra").splitlines()
    assert {"config.rules.objective=hinge", "config.rules.r1_gamma=0.5", "train.learning_rate=0.0004"} <= set(lines)
    assert 'train.rates={"D": 1.0, "G": 0.5}' in lines
    form.close()


def test_lessons_break_it_and_cure_it(tab: Any) -> None:
    go(tab, 13)
    tab.click("[data-lesson=vanishing]")
    tab.wait_for_selector("#cure")
    tab.wait_for_function("document.getElementById('set-objective').value === 'minimax'")
    tab.click("#cure")
    tab.wait_for_function("document.getElementById('set-objective').value === 'nonsaturating'")
    assert "Give the artist" in tab.locator("#lesson-title").inner_text()


def test_the_tour_goes_from_the_critic_to_the_artist(tab: Any) -> None:
    go(tab, 14)
    tab.click("[data-lesson=tour]")
    tab.wait_for_function("document.getElementById('set-data').value === 'normal1d'")
    tab.focus("#next")
    tab.keyboard.press("Enter")
    at_step(tab, 200)
    assert tab.evaluate("document.activeElement.id") == "lesson"  # from where Tab leads to the next button
    assert tab.locator("#lesson-title").inner_text() == "The critic moves first"
    tab.click("#next")
    at_step(tab, 206)
    tab.wait_for_function("location.hash.includes('d200') && location.hash.includes('g6')")
    tab.click("#next")
    tab.click("#back")
    at_step(tab, 206)
    assert tab.locator("#lesson-title").inner_text() == "The artist answers"
    tab.click("#back")
    at_step(tab, 200)
    tab.click("#back")
    at_step(tab, 0)
    assert tab.locator("#back").count() == 0


def test_two_gaussians_are_played_to_both_modes(tab: Any) -> None:
    go(tab, 15, "data=gaussians&width=32&critic_width=32&depth=2&critic_depth=2&batch=64")
    tab.locator("#speed").press("End")
    tab.click("#play")
    tab.wait_for_function("document.getElementById('summary').textContent.includes('reach 2 of 2 modes')", timeout=600_000)
    tab.click("#play")
    tab.wait_for_function("document.getElementById('play').textContent === 'Play'")


def test_a_csv_that_is_not_chosen_after_all_leaves_the_data(tab: Any) -> None:
    go(tab, 16, f"data=moons&{SMALL}")
    with tab.expect_file_chooser():
        tab.select_option("#set-data", "csv")
    assert tab.input_value("#set-data") == "moons"


def test_a_socket_that_is_refused_says_why(chromium: Any, context: Any) -> None:
    lone = chromium.new_context(bypass_csp=True)
    lone.add_cookies(context.cookies())
    page = lone.new_page()
    begin(page, context)
    lone.clear_cookies()  # as after a new start of the studio, whose cookie is another
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_selector("#link:has-text('only with the link that the terminal shows')")
    lone.add_cookies(context.cookies())
    page.wait_for_selector("#link[data-state=open]", state="attached")
    lone.close()


@pytest.mark.slow
def test_a_ring_is_played_to_all_its_modes(page: Any, context: Any) -> None:
    begin(page, context, "#data=ring")
    for _ in range(4):
        page.keyboard.press("]")
    page.keyboard.press(" ")
    page.wait_for_function("document.getElementById('step').dataset.step >= 2500", timeout=600_000)
    page.keyboard.press(" ")
    page.wait_for_function("document.getElementById('summary').textContent.includes('reach 8 of 8 modes')", timeout=60_000)
