"""The page /train in a real browser: a recipe to its end, bad uploads, a killed process, a branch."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganvas.studio.storage import Storage
from ganvas.studio.train import pace

pytestmark = pytest.mark.timeout(900)
PATIENCE = 60_000
SMALL = "train.batch=32\nconfig.width=8\nconfig.depth=1\ntrain.snapshots=4"


def pictures(names: tuple[str, ...], bad: bytes = b"") -> bytes:
    """A zip with one folder a name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for shade, name in enumerate(names):
            for i in range(4):
                drawn = io.BytesIO()
                Image.new("L", (16, 16), 40 * shade + 10 * i).save(drawn, "PNG")
                archive.writestr(f"{name}/{i}.png", drawn.getvalue())
        if bad:
            for i in range(16):
                archive.writestr(f"{i}.png", bad)
    return file.getvalue()


@pytest.fixture
def form(page: Any, context: Any, studio: Any) -> Any:
    """The page with the form of a new training, on a machine that was timed before."""
    pace.write_pace(Storage(studio.runs), "gan-ring", 5000.0)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{context.base}/train#new")
    page.wait_for_selector(".recipe input:checked")
    return page


def offered(form: Any, box: str = "#recipes") -> list[str]:
    """The recipes on the cards."""
    return list(form.locator(f"{box} input").evaluate_all("cards => cards.map(({ value }) => value)"))


def choose(form: Any, recipe: str, data: str = "") -> None:
    """Choose the data, then a card."""
    form.select_option("#data", data)
    form.wait_for_selector(f"input[value={recipe}]", state="attached")
    form.check(f"input[value={recipe}]")


def chosen(form: Any) -> str:
    return str(form.evaluate("document.querySelector('#form input[name=recipe]:checked')?.value ?? ''"))


def begin(form: Any, images: int) -> str:
    """Start the ring in miniature; the id of the run."""
    choose(form, "gan-ring")
    form.fill("#images", str(images))
    form.click("#other-box summary")
    form.fill("#extra", SMALL)
    form.click("#go")
    form.wait_for_function("location.hash.startsWith('#run=')")
    return str(form.evaluate("new URLSearchParams(location.hash.slice(1)).get('run')"))


@pytest.mark.slow
def test_a_recipe_is_trained_to_its_end_branched_and_compared(form: Any) -> None:
    begin(form, 1280)
    form.wait_for_selector("#state[data-state=finished]")
    form.wait_for_function("document.getElementById('picture').naturalWidth > 0")
    assert "picture 5 of 5" in form.inner_text("#caption")
    assert "1,280 of 1,280 points" in form.inner_text("#pace")
    assert "1,280 of 1,280 points" in form.inner_text("#runs [aria-current]")
    assert form.locator("#gauges [role=meter]").count() >= 2
    assert "takes points of the data for real" in form.inner_text("#gauges")
    assert form.is_visible("#scrub")
    form.wait_for_selector("#losses canvas")
    assert "floor" in form.get_attribute("#curve canvas", "aria-label")
    form.focus("#scrub")
    form.keyboard.press("ArrowLeft")
    form.wait_for_function("document.getElementById('caption').textContent.includes('picture 4 of 5')")
    form.wait_for_selector("#doctor .finding")
    form.click("#steer button:has-text('Branch')")
    assert form.locator("#branch-name option[value='config.width']").count() == 0  # it would change the networks
    form.select_option("#branch-name", "train.batch")
    assert "samples in one step" in form.inner_text("#branch-what")
    form.fill("#branch-value", "many")
    form.click("#branch-go")
    form.wait_for_selector("#branch-error:not([hidden])")
    form.select_option("#branch-name", "train.learning_rate")
    assert form.is_hidden("#branch-error")  # it was about another setting
    form.fill("#branch-value", "0.0003")
    form.click("#branch-go")
    form.wait_for_function("document.getElementById('about-run').textContent.includes('Branched from')")
    assert "train.learning_rate = 0.0003" in form.inner_text("#about-run")
    form.wait_for_selector("#state[data-state=finished]")
    form.click("button[data-view=compare]")
    form.select_option("#samples", "500")
    form.click("#contest")
    form.wait_for_selector("#comparison h3:has-text('Measures')", timeout=300_000)
    told = form.inner_text("#comparison")
    assert "train.learning_rate" in told
    assert "fd500-points" in told
    assert "±" in told
    assert "lower is better" in told
    form.wait_for_function("document.querySelector('#comparison img').naturalWidth > 0")
    for width in (360, 1280):
        form.set_viewport_size({"width": width, "height": 900})
        assert form.evaluate("document.documentElement.scrollWidth") <= width
        sheet = form.locator("#comparison img").bounding_box()
        assert sheet["x"] + sheet["width"] <= width  # both models are in sight
    form.select_option("#samples", "2000")  # not measured yet
    form.wait_for_selector("#comparison h3:has-text('Measures')", state="detached")
    form.evaluate("document.getElementById('film').click(); location.hash = 'run=nope'")
    form.wait_for_selector("#missing:not([hidden])")
    assert "There is no run “nope” here" in form.inner_text("#missing")
    assert form.is_hidden("#run")
    assert form.text_content("#film") == "▶"
    form.click("#runs button")
    form.wait_for_selector("#run:not([hidden])")
    assert form.is_hidden("#missing")


def test_a_chart_draws_a_single_point_and_tells_the_values_under_the_pointer(page: Any, context: Any) -> None:
    page.goto(f"{context.base}/")
    page.wait_for_load_state("networkidle")  # a page that still grows would move the chart away from under the pointer
    same = page.evaluate("""async () => {
        const { Chart } = await import("./static/common/chart.js");
        const box = document.body.appendChild(document.createElement("div"));
        box.id = "box";
        window.chart = new Chart(box, { title: "Test", low: 0, high: 1, series: [{ key: "a", name: "a", token: "--accent" }] });
        const drawn = (value) => { chart.draw([10], { a: [value] }); return chart.canvas.toDataURL(); };
        return drawn(NaN) === drawn(0.5);
    }""")
    assert not same
    axis = page.evaluate("""() => {
        const { prototype } = CanvasRenderingContext2D, told = [], real = prototype.fillText;
        prototype.fillText = function (text, x, y) {
            told.push([text, x - this.measureText(text).width]);
            real.call(this, text, x, y);
        };
        Object.assign(chart, { low: null, high: null });
        chart.draw([], {}, [{ y: 1.386, text: "2 ln 2" }]);
        chart.draw([1, 2], { a: [-1.7e26, 12345] }, []);
        Object.assign(chart, { low: 0, high: 1 });
        prototype.fillText = real;
        return told;
    }""")
    assert axis[2][0] == "1.47"  # the line alone, and 6 % above it
    assert "-1.7e+26" in [text for text, _ in axis]
    assert min(left for _, left in axis) >= 0  # no label is cut off
    assert (
        page.evaluate("""() => {
        const { prototype } = CanvasRenderingContext2D, told = [], real = prototype.fillText;
        prototype.fillText = function (text) { told.push(text); };
        chart.draw([96], { a: [0.1] }, []);
        prototype.fillText = real;
        return told.at(-1);
    }""")
        == "step 96"
    )  # the only step, and no later one
    page.evaluate("chart.draw([0, 50, 100], { a: [0.1, 0.2, 0.9] }, [{ y: 0.5, text: 'floor 0.50: other real data' }])")
    assert "floor 0.50: other real data" in page.inner_text("#box .chart-legend")
    assert page.inner_text("#box .chart-legend b") == "0.90"
    still = page.evaluate("chart.canvas.toDataURL()")
    page.hover("#box canvas")
    assert page.inner_text("#box .chart-legend b") == "0.20"
    assert page.evaluate("chart.canvas.toDataURL()") != still
    page.hover("#theme")
    assert page.inner_text("#box .chart-legend b") == "0.90"


def test_a_card_and_the_bar_tell_the_same_length_and_one_thing_is_singular(page: Any, context: Any) -> None:
    page.goto(f"{context.base}/train")
    told = page.evaluate("""async () => {
        const { describeTime } = await import("./static/train/recipe_cards.js");
        const { spellCount } = await import("./static/common/api.js");
        const [recipe, offer] = [{ name: "a", seconds: 2100, minutes: 20 }, { best: "a", minutes: 15 }];
        const times = [describeTime(recipe, offer), describeTime({ ...recipe, name: "b" }, offer),
            describeTime(recipe, { ...offer, minutes: null }), describeTime({ ...recipe, seconds: null })];
        return [times, [spellCount(1, "pictures"), spellCount(2000, "pictures"), spellCount(0, "images")]];
    }""")
    assert told == [
        ["15 min", "about 35 min here", "about 35 min here", "20 min on two cores"],
        ["1 picture", "2,000 pictures", "0 images"],
    ]


def test_uploads_of_one_name_say_when_they_were_sent(page: Any, context: Any) -> None:
    page.goto(f"{context.base}/train")
    told = page.evaluate("""async () => {
        const { labelUpload } = await import("./static/train/uploads.js");
        const sent = (id, name, seconds) => ({ id, name, sent: seconds });
        const uploads = [sent("1", "pets.zip", 7), sent("2", "pets.zip", 67), sent("3", "cats.zip", 7)];
        return uploads.map((upload) => labelUpload(upload, uploads));
    }""")
    assert re.fullmatch(r"pets\.zip, sent .* \d\d:\d\d:07", told[0])
    assert told[1] == told[0].replace(told[0][-5:], f"{int(told[0][-5:-3]) + 1:02}:07")
    assert told[2] == "cats.zip"


def test_only_runs_that_draw_the_same_are_offered_to_compare(page: Any, context: Any) -> None:
    page.goto(f"{context.base}/train")
    listed = page.evaluate("""async () => {
        const { offerRuns } = await import("./static/train/compare.js");
        const run = (id, alike, model = true) => ({ id, alike, model });
        const runs = [run("a", "x"), run("b", "x"), run("c", "y"), run("d", "x", false), run("e", ""), run("f", "")];
        const names = () => [...document.getElementById("other").options].map(({ value }) => value);
        const isEmpty = () => document.getElementById("contest-box").hidden;
        const options = (id) => { offerRuns(runs, id); return [names(), isEmpty()]; };
        return [options("a"), options("c"), options("e"), document.getElementById("contest").disabled];
    }""")
    assert listed == [[["b"], False], [[], True], [[], True], True]


@pytest.mark.slow  # tests/studio/train/test_jobs.py has the same without a browser
def test_a_killed_training_says_so_and_goes_on(form: Any, studio: Any) -> None:
    name = begin(form, 4_000_000)
    form.wait_for_selector("#state[data-state=running]")
    form.wait_for_selector("#gauges [role=meter]")
    pid = json.loads((studio.runs / ".studio" / "jobs" / f"{name}.job.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    form.wait_for_selector("#state[data-state=interrupted]")
    assert "SIGKILL" in form.inner_text("#words")
    assert "resume continues from" in form.inner_text("#words")
    form.click("#steer button:has-text('Resume')")
    form.wait_for_selector("#state[data-state=running]")
    form.wait_for_selector("#steer button:has-text('Pause')")
    assert form.evaluate("document.activeElement.parentElement.id") == "steer"
    form.click("#steer button:has-text('Pause')")
    form.wait_for_selector("#state[data-state=paused]")
    form.wait_for_selector("#steer button:has-text('Resume')")
    assert form.evaluate("document.activeElement.tagName") != "BODY"
    assert "bit for bit" in form.inner_text("#words")


def test_built_in_pictures_are_offered_to_the_recipes_that_suit_them(form: Any) -> None:
    assert (form.input_value("#data"), chosen(form)) == ("mnist", "cgan-mnist")
    assert "suggested" in form.inner_text(".recipe:has(input:checked)")
    assert form.locator(".recipe img").evaluate_all("all => all.every((image) => image.getAttribute('src'))")
    for recipe, unit in (("textgan-names", "lines"), ("dcgan-mnist", "images")):
        choose(form, recipe)
        assert form.inner_text("#unit") == f"or {unit}"
    form.select_option("#data", "fashion")
    form.wait_for_selector("#recipes input[value=cgan-fashion]:checked")
    assert {"cgan-mnist", "vae-mnist"} < set(offered(form, "#more"))
    everything = {*offered(form), *offered(form, "#more")}
    assert not {"gan-ring", "textgan-names", "voxel-shapes", "cogan-edges", "dcgan-images"} & everything
    form.select_option("#data", "stacked")  # without classes
    form.wait_for_selector("#recipes input[value=dcgan-stacked]:checked")
    everything = {*offered(form), *offered(form, "#more")}
    assert not {"cgan-mnist", "classifier-mnist", "vae-mnist-conditional"} & everything
    assert "dcgan-mnist" in everything


def test_an_address_fills_in_the_form_and_every_setting_says_what_it_means(page: Any, context: Any) -> None:
    page.goto(f"{context.base}/train#new&recipe=dcgan-mnist&images=500&seed=7&set.train.learning_rate=0.001")
    page.wait_for_selector("input[value=dcgan-mnist]:checked")
    assert [page.input_value(f"#{name}") for name in ("data", "images", "seed")] == ["mnist", "500", "7"]
    assert page.input_value("#extra") == "train.learning_rate=0.001"
    assert page.is_hidden("#from-field")  # no model of this recipe is here
    page.wait_for_selector("#offered tr:has-text('half-life of the EMA')")
    page.locator("#offered button").filter(has_text=re.compile(r"^train\.batch$")).click()
    assert page.input_value("#extra").splitlines()[1].startswith("train.batch=")
    for field, value, wrong in (
        ("minutes", "-2", "expected a number from 0.01 to 5,256,000, found -2"),
        ("images", "2.5", "expected a whole number from 1 to 1,000,000,000,000, found 2.5"),
        ("images", "5", ""),
        ("minutes", "3", ""),
    ):
        page.fill("#images", "")
        page.fill(f"#{field}", value)
        assert page.inner_text(f"#{field}-wrong") == wrong
        assert page.get_attribute(f"#{field}", "aria-invalid") == ("true" if wrong else "false")
        assert page.inner_text("#start-words").startswith("dcgan-mnist · ") != bool(wrong or page.is_visible("#minutes-wrong"))
        if field == "minutes" and wrong:
            page.click("#go")
            page.wait_for_selector(f"#start-error:has-text('minutes: {wrong}')")
            page.fill("#minutes", "")
    page.fill("#images", "5")
    assert page.inner_text("#images-wrong") == "minutes and images both set the length; leave one of them empty"
    page.fill("#minutes", "")
    page.fill("#extra", "train.seed=banana")
    page.click("#go")
    page.wait_for_selector("#start-error:has-text('write banana into “Seed”')")
    page.fill("#extra", "train.batch=8\ntrain.batch=16")
    page.click("#go")
    page.wait_for_selector("#start-error:has-text('train.batch is in two lines')")
    page.evaluate("location.hash = 'new&recipe=nothing'")
    page.wait_for_selector("#start-error:has-text('There is no recipe “nothing”')")
    page.evaluate("location.hash = 'new&recipe=cgan-mnist&from=cgan-mnist'")  # the model that comes with ganvas
    page.wait_for_function("document.getElementById('from').value === 'cgan-mnist'")
    assert page.is_visible("#from")
    assert page.inner_text("#from option[value='']") == "what the recipe begins with"  # it may come with weights
    page.fill("#images", "")
    page.select_option("#from", "cgan-mnist")
    assert page.inner_text("#start-words") == "cgan-mnist · as long as the training of cgan-mnist"
    page.fill("#extra", "train.batch=none")
    with page.expect_request("**/api/train/runs") as asked:
        page.click("#go")
    assert {"recipe": "", "from_run": "cgan-mnist", "data": "mnist"}.items() <= asked.value.post_data_json.items()
    page.wait_for_selector("#start-error:visible")


def test_axe_finds_nothing_on_the_form(form: Any, list_violations: Any) -> None:
    form.click("#other-box summary")
    form.wait_for_selector("#offered tr")
    assert list_violations(form) == []
    form.set_viewport_size({"width": 360, "height": 740})
    assert form.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_run_is_seen_whole_in_a_small_window_and_first_on_a_phone(
    page: Any, context: Any, studio: Any, list_violations: Any
) -> None:
    folder = studio.runs / "00777-seen"
    (folder / "samples").mkdir(parents=True)
    (folder / "recipe.json").write_text(json.dumps({"name": "dcgan-mnist", "game": "dcgan", "config": {"resolution": 28}}))
    Image.new("L", (290, 290), 90).save(folder / "samples" / "000000.000k.png")
    page.goto(f"{context.base}/train#run=00777-seen")
    page.wait_for_function("document.getElementById('picture').naturalWidth > 0")
    for width, height in ((1280, 720), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollHeight") <= height
        boxes = [page.locator(place).bounding_box() for place in ("#picture", "#caption", "#scrub", "#steer")]
        assert all(box["y"] + box["height"] <= height for box in boxes)
        assert boxes[0]["height"] > 300
    assert list_violations(page) == []
    for view in ("compare", "settings"):
        page.click(f"button[data-view={view}]")
        assert list_violations(page) == []
    page.click("button[data-view=watch]")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.locator("#picture").bounding_box()["y"] < 370
    assert page.input_value("#choice") == "00777-seen"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_broken_zip_and_a_bomb_give_one_line(form: Any, tmp_path: Path) -> None:
    dropped = """(place) => {
        const carried = new DataTransfer();
        carried.items.add(new File(["PK"], "dropped.zip"));
        const event = new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
        document.querySelector(place).dispatchEvent(event);
        return [event.defaultPrevented, document.querySelector("#own .intake-status").textContent];
    }"""
    assert form.evaluate(dropped, "header") == [True, ""]
    form.wait_for_function(
        "document.querySelector('#own .intake-status').textContent.includes('dropped.zip: not a readable zip')"
    )
    form.evaluate("document.querySelector('#own .intake-status').textContent = ''; location.hash = 'nothing'")
    form.wait_for_selector("#start", state="hidden")
    assert form.evaluate(dropped, "#empty") == [True, ""]
    form.wait_for_selector("#start")  # the form opens, with what was dropped
    form.wait_for_function(
        "document.querySelector('#own .intake-status').textContent.includes('dropped.zip: not a readable zip')"
    )
    for name, content, told in (
        ("broken.zip", b"PK", "not a readable zip"),
        ("bomb.zip", pictures((), bytes(15 << 20)), "bomb"),
    ):
        (tmp_path / name).write_bytes(content)
        form.set_input_files("#zip", tmp_path / name)
        form.wait_for_function(f"document.querySelector('#own .intake-status').textContent.includes('{told}')")
        line = form.inner_text("#own .intake-status")
        assert (name in line, "\n" in line) == (True, False)
    assert form.locator("#data option[value^=upload]").count() == 0
    (tmp_path / "words.zip").write_bytes(pictures((), b"no picture"))
    form.set_input_files("#zip", tmp_path / "words.zip")
    form.wait_for_selector("#own .intake-problem:has-text('words.zip: no readable picture')")
    assert form.inner_text("#own .intake-status").endswith(". Start training would use: digits (MNIST).")
    form.select_option("#data", "fashion")
    assert form.inner_text("#own .intake-status") == ""  # it was about other data


def test_a_folder_is_reported_before_training_and_its_names_are_text(form: Any, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=window.hurt=1>"
    for i, name in enumerate(("cat", hostile)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for k in range(3):
            Image.new("L", (16, 16), 60 * i + 20 * k).save(tmp_path / "pets" / name / f"{k}.png")
    form.set_input_files("#folder", tmp_path / "pets")  # packed by the page itself
    form.wait_for_selector("#report:not([hidden])")
    assert form.inner_text("#report-title") == "What is in pets"
    text = form.inner_text("#report-facts")
    assert "cat (3)" in text
    assert f"{hostile} (3)" in text
    assert "there are 6 samples; training needs hundreds" in text
    form.wait_for_selector("#reason:has-text('Suggested: cgan-mnist: 6 grey pictures of 2 classes at 16 pixels')")
    box, title = (form.locator(place).bounding_box() for place in ("#own .intake", "#report-title"))
    assert title["y"] > box["y"] + box["height"] + 8
    assert form.evaluate("window.hurt") is None
    form.wait_for_function("document.getElementById('report-preview').naturalWidth > 0")
    assert form.input_value("#data").startswith("upload:")
    form.wait_for_selector("input[value=cgan-mnist]:checked")  # as there are classes, and the pictures are small and grey
    assert "gan-ring" not in offered(form) + offered(form, "#more")  # needs points
    assert "dcgan-mnist" in offered(form, "#more")
    form.click("#remove")
    form.wait_for_selector("#report", state="hidden")
    form.wait_for_selector("#reason", state="hidden")
    assert form.locator("#data option[value^=upload]").count() == 0


def test_a_zip_of_pairs_is_reported_as_pairs_and_offered_to_the_game_that_translates_them(form: Any, tmp_path: Path) -> None:
    (tmp_path / "pairs.zip").write_bytes(pictures(("A", "B")))
    form.set_input_files("#zip", tmp_path / "pairs.zip")
    form.wait_for_selector("#report:not([hidden])")
    text = form.inner_text("#report-facts")
    assert "4, A to B" in text
    assert "Classes" not in text
    form.wait_for_selector("input[value=pix2pix-images]:checked")
    form.click("#remove")
    form.wait_for_selector("#report", state="hidden")


@pytest.mark.slow
def test_dropped_clips_are_reported_and_trained_to_the_end(form: Any, tmp_path: Path) -> None:
    clips = []
    for name in "abc":
        frames = [Image.new("RGB", (48, 32), "white") for _ in range(6)]
        for k, frame in enumerate(frames):
            frame.paste((200, 30, 30), (8 + 3 * k, 10, 18 + 3 * k, 22))
        made = io.BytesIO()
        frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=60)
        clips.append([f"{name}.gif", base64.b64encode(made.getvalue()).decode()])
    form.evaluate(
        """(clips) => {
        const carried = new DataTransfer();
        for (const [name, text] of [...clips, ["notes.txt", btoa("hello")]]) {
            carried.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name));
        }
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
    }""",
        clips,
    )
    form.wait_for_selector("#report:not([hidden])")
    told = form.inner_text("#report-facts")
    for part in ("3, of 6 frames", "18", "3 clips cut to squares: a.gif to 27 x 27 pixels", "notes.txt: not a picture"):
        assert part in told
    assert "3 clips are ready" in form.inner_text("#own .intake-status")
    form.wait_for_function("document.getElementById('report-preview').naturalWidth > 500")  # a row of eight frames
    form.wait_for_selector("#recipes input[value=motion-clips]:checked")
    assert (offered(form), form.is_visible("#more-box")) == (["motion-clips"], False)
    assert form.inner_text("#start-words") == "motion-clips · 15 min"
    assert "motion-clips: 3 clips at 64 pixels" in form.inner_text("#reason")
    form.fill("#images", "64")
    form.click("#other-box summary")
    form.fill("#extra", "train.batch=8\ntrain.snapshots=2\nconfig.resolution=32")
    form.click("#go")
    form.wait_for_selector("#state[data-state=finished]", timeout=300_000)
    form.wait_for_function("document.getElementById('picture').naturalWidth > 0")
    form.wait_for_selector("#doctor .finding")
    form.click("#steer a[href*=animate]")
    form.wait_for_url("**/animate#**")


def test_nothing_is_started_while_pictures_are_on_their_way(form: Any, tmp_path: Path) -> None:
    held: list[Any] = []
    form.route("**/api/train/uploads?*", lambda route: held.append(route))
    (tmp_path / "pets.zip").write_bytes(pictures(("cat", "dog")))
    form.set_input_files("#zip", tmp_path / "pets.zip")
    form.wait_for_function("document.querySelector('#own .intake-status').textContent.includes('pets.zip')")
    form.click("#go")
    assert "not ready yet" in form.inner_text("#start-error")
    assert form.evaluate("location.hash") == "#new"
    held[0].continue_()
    form.wait_for_selector("#report:not([hidden])")
    assert form.is_hidden("#start-error")
    form.unroute("**/api/train/uploads?*")
    form.route("**/api/train/runs", lambda route: route.fulfill(status=400, json={"error": "asked"}))
    form.click("#go")
    form.wait_for_selector("#start-error:not([hidden])")
    assert "not ready" not in form.inner_text("#start-error")
