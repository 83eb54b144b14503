"""What a session's process does with the page's commands, and what it shows."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
import torch

from ganvas.errors import DataError, UsageError
from ganvas.studio.play import scene
from ganvas.studio.play.charts import Curves
from ganvas.studio.play.play_lessons import CAPTIONS
from ganvas.studio.play.play_points import read_points
from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.play_process import PlayProcess, drop_superseded
from ganvas.studio.play.play_settings import BUILT_IN, MAX_POINTS, PlaySettings
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import MAX_FRAME_BYTES, Frame, decode, encode

TINY = {"width": 8, "critic_width": 8, "depth": 1, "critic_depth": 1, "batch": 16}


class Sent(list[Frame]):
    """What the page got."""

    @property
    def last(self) -> Frame:
        return self[-1]


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> tuple[PlayProcess, Sent]:
    monkeypatch.setattr("ganvas.studio.play.charts.SAMPLES", 500)
    sent = Sent()
    made = PlayProcess(sent.append)
    made.handle(Frame("begin", {"setup": {"data": "ring", **TINY}}))
    return made, sent


def finish(process: PlayProcess) -> None:
    """Play what is pending."""
    while process.pending:
        process.tick()


def test_the_models_beside_are_there_at_once_and_go_back_with_the_game(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("set", {"name": "beside", "value": "both"}))
    untrained = sent.last.arrays
    for _ in range(6):
        made.handle(Frame("step", {"who": "b"}))
        finish(made)
    trained = sent.last.arrays
    made.handle(Frame("rewind", {"place": 3}))
    back, history = sent.last.arrays, sent.last.facts["history"]
    assert {"vae", "regions"} <= set(untrained)
    assert len({arrays["vae"].tobytes() for arrays in (untrained, trained, back)}) == 3
    link = {"setup": sent.last.facts["first"], "history": history}
    for command in (link, {"setup": {"data": "grid", **TINY}}, link):
        made.handle(Frame("begin", command))
        finish(made)
    assert sent.last.arrays["vae"].tobytes() == back["vae"].tobytes()
    made.handle(Frame("step", {"who": "b", "count": 3}))
    finish(made)
    assert sent.last.arrays["vae"].tobytes() == trained["vae"].tobytes()
    assert sent.last.arrays["regions"].tobytes() == trained["regions"].tobytes()
    made.handle(Frame("rewind", {"place": 0}))
    assert sent.last.arrays["vae"].tobytes() == untrained["vae"].tobytes()


def test_steps_alone_and_together(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    for who in ("d", "g", "b"):
        made.handle(Frame("step", {"who": who}))
        finish(made)
    assert sent.last.facts["history"] == [["d", 1], ["g", 1], ["b", 1]]
    assert sent.last.facts["step"] == 3
    assert sent.last.facts["ring"] == [3, 4]
    assert "The critic gives reals 0." in sent.last.facts["summary"]
    made.handle(Frame("rewind", {"place": 1}))
    assert sent.last.facts["step"] == 1
    assert sent.last.arrays["moves_steps"].tolist() == [1]


def test_of_rewinds_in_a_row_the_latest_wins(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("step", {"who": "b"}))
    finish(made)
    places = [Frame("rewind", {"place": place}) for place in (1, 0, 1, 0)]
    speeds = [Frame("speed", {"level": level}) for level in (1, 2)]
    steps = [Frame("step", {"who": "b"})] * 2
    assert drop_superseded([*places, *speeds, *steps, places[0]]) == [places[3], speeds[1], *steps, places[0]]
    assert drop_superseded([]) == []
    before = len(sent)
    made.handle(*drop_superseded([*places, *speeds]))
    assert len(sent) == before + 1  # one picture
    assert (sent.last.facts["step"], sent.last.facts["speed"]) == (0, 2)


@pytest.mark.parametrize(
    ("kind", "facts", "message"),
    [
        ("fly", {}, "no such command"),
        ("step", {"who": "x"}, "expected b, d or g"),
        ("step", {"who": "d", "count": 10**9}, "at once"),
        ("step", {}, "not understood"),
        ("set", {"name": "objective", "value": "hing"}, "did you mean 'hinge'"),
        ("set", {"name": "__class__", "value": 1}, "unknown setting"),
        ("set", {"name": "width", "value": 10**9}, "width"),
        ("rewind", {"place": 99}, "expected a state from"),
        ("rewind", {"place": "x"}, "not understood"),
        ("begin", {"setup": {"data": "brush"}}, "draw something"),
        ("begin", {"setup": {"data": "brush"}, "points": [[0, 0]] * (MAX_POINTS + 1)}, "points"),
        ("begin", {"setup": {"data": "brush"}, "points": [["a", 0]]}, "pairs of numbers"),
        ("begin", {"setup": {"data": "brush"}, "points": [[9, 0]]}, "between"),
        ("begin", {"setup": {"data": "brush"}, "points": [[math.nan, 0]]}, "between"),
        ("begin", {"setup": [1]}, "a group of settings"),
        ("reset", {"data": "/etc/passwd"}, "unknown data"),
    ],
)
def test_what_it_may_not_be_asked(process: tuple[PlayProcess, Sent], kind: str, facts: dict[str, Any], message: str) -> None:
    made, sent = process
    made.handle(Frame(kind, facts))
    finish(made)
    errors = [frame.facts["text"] for frame in sent if frame.kind == "error"]
    assert any(message in text for text in errors), errors
    assert sent.last.kind == "frame"  # and it goes on


def test_slow_motion_has_ten_stages_and_moves_at_two_of_them(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("slow", {"on": True}))
    steps = []
    for _ in CAPTIONS:
        made.handle(Frame("step", {"who": "b"}))
        steps.append(sent.last.facts["step"])
    assert steps == [0] * 4 + [1] * 5 + [2]
    assert sent.last.facts["caption"] == 9
    assert CAPTIONS[9].player == "G"
    assert sent.last.facts["history"] == [["d", 1], ["g", 1]]


def test_a_session_begins_at_the_usual_speed_unless_told(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    setup = {"data": "ring", **TINY}
    made.handle(Frame("begin", {"setup": setup, "slow": True, "speed": 0}))
    assert (sent.last.facts["slow"], sent.last.facts["speed"]) == (True, 0)
    made.handle(Frame("begin", {"setup": setup, "speed": "x"}))
    assert (sent.last.facts["slow"], sent.last.facts["speed"]) == (True, 0)
    made.handle(Frame("begin", {"setup": setup}))
    assert (sent.last.facts["slow"], sent.last.facts["speed"]) == (False, 3)


def test_a_link_is_played_again_and_then_goes_on(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    history = [["d", 3], ["set", "objective", "hinge"], ["b", 70]]
    made.handle(Frame("begin", {"setup": {"data": "ring", **TINY}, "history": history}))
    assert sent.last.facts["restoring"] == [0, 73]
    finish(made)
    assert sent.last.facts["history"] == history
    assert sent.last.facts["restoring"] is None
    assert sent.last.facts["setup"]["objective"] == "hinge"
    assert not sent.last.facts["playing"]


def test_a_link_with_a_bad_setting_is_a_line_and_leaves_the_session(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("step", {"who": "b"}))
    finish(made)
    history = [["b", 3], ["set", "r1", 9999], ["b", 3]]
    made.handle(Frame("begin", {"setup": {"data": "ring", **TINY}, "history": history}))
    assert "r1:9999" in sent[-2].facts["text"]
    assert sent[-2].facts["refused"] == "begin"
    assert sent.last.facts["history"] == [["b", 1]]
    made.pending = [["set", "r1", 9999], ["b", 3]]  # what no check has sent stops the replay
    finish(made)
    assert any("expected from 0 to 100" in frame.facts["text"] for frame in sent[-3:] if frame.kind == "error")
    assert sent.last.facts["step"] == 1


def test_a_picture_says_which_session_it_is_of(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("begin", {"setup": {"data": "ring", **TINY}, "number": 4}))
    assert sent.last.facts["number"] == 4
    made.handle(Frame("begin", {"setup": {"data": "nonsense"}, "number": 5}))
    assert sent.last.facts["number"] == 4


def test_playing_takes_the_speed_that_was_asked_for(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("speed", {"level": 3}))
    made.handle(Frame("play", {"on": True}))
    assert made.get_wait() == pytest.approx(0, abs=0.01)
    made.tick()
    assert 1 <= sent.last.facts["step"] <= 9  # a twelfth of 100
    made.handle(Frame("speed", {"level": -5}))
    assert sent.last.facts["speed"] == 0
    before, now = sent.last.facts["step"], time.monotonic()
    made.tick()
    assert sent.last.facts["step"] == before + 1
    assert made.due >= now + 1  # a step a second
    made.handle(Frame("play", {"on": False}))
    assert made.get_wait() is None


def test_at_the_limit_of_its_link_a_game_halts(process: tuple[PlayProcess, Sent], monkeypatch: pytest.MonkeyPatch) -> None:
    made, sent = process
    monkeypatch.setattr("ganvas.studio.play.history.MAX_STEPS", 3)
    made.handle(Frame("speed", {"level": 4}))
    made.handle(Frame("play", {"on": True}))
    while made.playing:  # on a busy machine it takes more than one
        made.tick()
    assert (sent.last.facts["step"], sent.last.facts["playing"]) == (3, False)
    assert "at most 3 steps" in sent[-2].facts["text"]


def test_other_networks_begin_anew_and_play_on(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    made.handle(Frame("play", {"on": True}))
    made.tick()
    made.handle(Frame("set", {"name": "width", "value": 16}))
    assert sent.last.facts["step"] == 0
    assert sent.last.facts["playing"]
    made.handle(Frame("reset"))
    assert not sent.last.facts["playing"]


def test_undo_takes_back_settings_and_takes_up_the_game_before(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    begin = {"setup": {"data": "ring", **TINY}, "number": 1}
    made.handle(Frame("begin", begin))
    made.handle(Frame("begin", {**begin, "number": 2}))  # the same again: nothing to undo
    assert sent.last.facts["undo"] == ""
    made.handle(Frame("undo", {}))
    assert "nothing to undo" in sent[-2].facts["text"]
    made.handle(Frame("step", {"who": "b", "count": 3}))
    finish(made)
    weights = made.simulation.game.G[0].weight.clone()
    made.handle(Frame("set", {"name": "r1", "value": 2}))
    assert sent.last.facts["undo"] == "take back r1 = 2"
    made.handle(Frame("set", {"name": "width", "value": 9}))
    made.handle(Frame("reset", {"data": "brush", "points": [[0, 0], [1, 1]]}))
    assert sent[-2].facts["undo"]
    undone = []
    for _ in range(3):
        made.handle(Frame("undo", {}))
        undone.append((sent.last.facts["setup"]["width"], sent.last.facts["setup"]["r1"], sent.last.facts["step"]))
    assert undone == [(9, 2, 0), (8, 2, 3), (8, choose_settings("ring").r1, 3)]
    assert sent[-2].facts["points"] == ()
    assert torch.equal(made.simulation.game.G[0].weight, weights)
    assert sent.last.facts["ring"] == [0, 1]  # of a game that was left long ago the present state alone
    assert sent.last.facts["undo"] == ""
    made.handle(Frame("step", {"who": "b"}))
    finish(made)
    for _ in range(2):
        made.handle(Frame("reset"))
        made.handle(Frame("undo", {}))
        assert sent.last.facts["ring"] == [1, 2]  # of the one that was left last the whole ring, again and again
    made.handle(Frame("rewind", {"place": 0}))
    assert sent.last.facts["step"] == 3


def test_one_mode_is_no_number_of_modes() -> None:
    stage = Simulation(PlaySettings(data="normal1d", **{**TINY, "latent_dim": 1}))
    text = scene.summarize(stage, {"modes": 1, "captured": 1, "covered": 0.3, "kl": 1.0, "js": 0.1}, {})
    assert "cover 30% of the data" in text
    assert "modes" not in text


def test_noise_is_laid_out_where_the_picture_is() -> None:
    stage = Simulation(PlaySettings(data="ring", **TINY))
    arrays = scene.collect_arrays(stage)
    assert arrays["noise"].shape == arrays["fake"].shape
    assert arrays["noise_grid"].shape == arrays["grid"].shape
    assert np.ptp(arrays["noise_grid"][0, :, 1]) == np.ptp(arrays["noise_grid"][:, 0, 0])
    square = scene.place_noise(
        Simulation(PlaySettings(data="ring", noise="uniform", **TINY)), torch.tensor([[-9.0, 0.0], [9.0, 9.0]])
    )
    assert (square.flatten() / stage.data.reach).tolist() == pytest.approx([-0.9, 0, 0.9, 0.9])
    line = Simulation(PlaySettings(data="ring", latent_dim=1, **TINY))
    assert scene.collect_arrays(line)["noise_grid"].shape == scene.collect_arrays(line)["grid"].shape == (1, 102, 2)


def test_a_game_without_finite_numbers_stops_and_says_so(process: tuple[PlayProcess, Sent]) -> None:
    made, sent = process
    with torch.no_grad():
        made.simulation.game.D[0].weight.fill_(math.nan)
    made.handle(Frame("step", {"who": "b", "count": 20}))
    finish(made)
    assert any("finite" in frame.facts["text"] for frame in sent if frame.kind == "error")
    assert sent.last.facts["step"] == 10
    decode(encode(sent.last))


@pytest.mark.parametrize("data", BUILT_IN)
def test_every_picture_fits_into_a_frame_beside_the_others(process: tuple[PlayProcess, Sent], data: str) -> None:
    made, sent = process
    made.handle(Frame("begin", {"setup": {"data": data, **TINY, "beside": "both", "latent_dim": 1 if "1d" in data else 2}}))
    made.handle(Frame("step", {"who": "b", "count": 2}))
    finish(made)
    assert len(encode(sent.last)) < MAX_FRAME_BYTES / 5
    arrays = sent.last.arrays
    assert all(np.isfinite(array).all() for name, array in arrays.items() if not name.endswith("_values"))
    assert arrays["tail"].shape == arrays["pull"].shape
    if data.endswith("1d"):
        assert arrays["best"].max() <= 1
        assert np.trapezoid(arrays["density"], arrays["x"]) == pytest.approx(1, abs=0.02)
    else:
        assert arrays["surface"].shape == (44, 44)
        assert arrays["grid"].shape == (17, 17, 2)
    assert arrays["vae"].shape[1] == sent.last.facts["dims"]
    assert ("regions" in arrays) == (data in ("mixture1d", "gaussians", "ring", "grid", "moons"))


def test_a_pull_is_minus_the_slope_of_that_fakes_loss() -> None:
    stage = Simulation(PlaySettings(data="gaussians", width=8, critic_width=8, depth=1, critic_depth=1, batch=16))
    fake = torch.tensor([[0.3, -0.2], [1.0, 0.5]])
    pull = scene.compute_arrows(stage, fake)["pull"]
    step = 1e-3
    for i in range(2):
        for k in range(2):
            ahead, behind = fake.clone(), fake.clone()
            ahead[i, k] += step
            behind[i, k] -= step
            loss = [torch.nn.functional.softplus(-stage.game.judge(x)[i]).item() for x in (ahead, behind)]
            assert float(pull[i, k]) == pytest.approx((loss[1] - loss[0]) / (2 * step), abs=1e-3)


def test_curves_thin_out_and_go_back() -> None:
    curves = Curves(("a",))
    for step in range(1, 2001):
        curves.add(step, {"a": float(step)})
    assert 200 <= len(curves.steps) <= 400
    assert [row[0] for row in curves.rows] == curves.steps
    curves.cut(1000)
    assert curves.steps[-1] <= 1000
    curves.add(1008, {"a": 1.0})
    assert curves.steps == sorted(set(curves.steps))
    assert curves.to_arrays("of", 1000)["of_steps"].max() <= 1000  # earlier than the last, which is kept
    assert curves.steps[-1] == 1008
    arrays = curves.to_arrays("of", 1009, {"a": 7.0})  # what was thinned out is shown while it is now
    assert (arrays["of_steps"][-1], arrays["of_values"][-1, 0]) == (1009, 7)
    assert curves.to_arrays("of", 1008, {"a": 7.0})["of_values"][-1, 0] == 1
    assert curves.steps[-1] == 1008


def test_a_file_of_points_is_centred_and_capped() -> None:
    body = "a;b\n" + "\n".join(f"{i};{100 + i % 3}" for i in range(5000))
    found: Any = read_points(body.encode())
    assert found["rows"] == 5000
    assert len(found["points"]) == MAX_POINTS
    assert max(abs(x) for point in found["points"] for x in point) == pytest.approx(1, abs=0.01)
    with pytest.raises(DataError, match="two columns"):
        read_points(b"1,2,3\n4,5,6\n")
    with pytest.raises(DataError, match=r"^line 2"):  # and no path of the server's
        read_points(b"1,2\n1,<script>\n")
    with pytest.raises(DataError, match=r"^expected"):
        read_points(b"")
    same: Any = read_points(b"5,5\n5,5\n")
    assert same["points"] == [[0, 0], [0, 0]]


def test_a_setting_spelt_in_a_link_is_the_setting() -> None:
    with pytest.raises(UsageError, match="no_such"):
        PlaySettings().with_change("no_such", 1)
    assert PlaySettings().with_change("objective", "wasserstein").d_moves == 5
    assert PlaySettings().with_change("objective", "wasserstein-gp").penalty == 10
    assert PlaySettings().with_change("objective", "wasserstein").with_change("objective", "hinge").clip == 0
