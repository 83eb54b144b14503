"""What a session's process does with the page's commands, and what it shows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from ganvas.errors import DataError, UsageError
from ganvas.studio.channel import LARGEST, Frame, decode, encode
from ganvas.studio.play import picture
from ganvas.studio.play.booth import Booth, latest
from ganvas.studio.play.lessons import CAPTIONS
from ganvas.studio.play.page import read_points
from ganvas.studio.play.record import Curves
from ganvas.studio.play.setup import BUILT_IN, MOST_POINTS, Setup, usual
from ganvas.studio.play.stage import Stage

TINY = {"width": 8, "critic_width": 8, "depth": 1, "critic_depth": 1, "batch": 16}


class Seen(list[Frame]):
    """What the page got."""

    @property
    def last(self) -> Frame:
        return self[-1]


@pytest.fixture
def booth(monkeypatch: pytest.MonkeyPatch) -> tuple[Booth, Seen]:
    monkeypatch.setattr("ganvas.studio.play.record.SAMPLES", 500)
    seen = Seen()
    made = Booth(seen.append)
    made.obey(Frame("begin", {"setup": {"data": "ring", **TINY}}))
    return made, seen


def finish(booth: Booth) -> None:
    """Play what is pending."""
    while booth.pending:
        booth.tick()


def test_the_models_beside_are_there_at_once_and_go_back_with_the_game(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("set", {"name": "beside", "value": "both"}))
    untrained = seen.last.arrays
    for _ in range(6):
        made.obey(Frame("step", {"who": "b"}))
        finish(made)
    trained = seen.last.arrays
    made.obey(Frame("rewind", {"place": 3}))
    back, history = seen.last.arrays, seen.last.facts["history"]
    assert {"vae", "regions"} <= set(untrained)
    assert len({arrays["vae"].tobytes() for arrays in (untrained, trained, back)}) == 3
    link = {"setup": seen.last.facts["first"], "history": history}
    for command in (link, {"setup": {"data": "grid", **TINY}}, link):
        made.obey(Frame("begin", command))
        finish(made)
    assert seen.last.arrays["vae"].tobytes() == back["vae"].tobytes()
    made.obey(Frame("step", {"who": "b", "count": 3}))
    finish(made)
    assert seen.last.arrays["vae"].tobytes() == trained["vae"].tobytes()
    assert seen.last.arrays["regions"].tobytes() == trained["regions"].tobytes()
    made.obey(Frame("rewind", {"place": 0}))
    assert seen.last.arrays["vae"].tobytes() == untrained["vae"].tobytes()


def test_steps_alone_and_together(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    for who in ("d", "g", "b"):
        made.obey(Frame("step", {"who": who}))
        finish(made)
    assert seen.last.facts["history"] == [["d", 1], ["g", 1], ["b", 1]]
    assert seen.last.facts["step"] == 3
    assert seen.last.facts["ring"] == [3, 4]
    assert "The critic calls" in seen.last.facts["summary"]
    made.obey(Frame("rewind", {"place": 1}))
    assert seen.last.facts["step"] == 1
    assert seen.last.arrays["moves_steps"].tolist() == [1]


def test_of_rewinds_in_a_row_the_latest_wins(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("step", {"who": "b"}))
    finish(made)
    places = [Frame("rewind", {"place": place}) for place in (1, 0, 1, 0)]
    speeds = [Frame("speed", {"level": level}) for level in (1, 2)]
    steps = [Frame("step", {"who": "b"})] * 2
    assert latest([*places, *speeds, *steps, places[0]]) == [places[3], speeds[1], *steps, places[0]]
    assert latest([]) == []
    before = len(seen)
    made.obey(*latest([*places, *speeds]))
    assert len(seen) == before + 1  # one picture
    assert (seen.last.facts["step"], seen.last.facts["speed"]) == (0, 2)


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
        ("rewind", {"place": 99}, "the ring has states"),
        ("rewind", {"place": "x"}, "not understood"),
        ("begin", {"setup": {"data": "brush"}}, "draw something"),
        ("begin", {"setup": {"data": "brush"}, "points": [[0, 0]] * (MOST_POINTS + 1)}, "points"),
        ("begin", {"setup": {"data": "brush"}, "points": [["a", 0]]}, "pairs of numbers"),
        ("begin", {"setup": {"data": "brush"}, "points": [[9, 0]]}, "between"),
        ("begin", {"setup": {"data": "brush"}, "points": [[math.nan, 0]]}, "between"),
        ("begin", {"setup": [1]}, "a group of settings"),
        ("reset", {"data": "/etc/passwd"}, "unknown data"),
    ],
)
def test_what_it_may_not_be_asked(booth: tuple[Booth, Seen], kind: str, facts: dict[str, Any], message: str) -> None:
    made, seen = booth
    made.obey(Frame(kind, facts))
    finish(made)
    errors = [frame.facts["text"] for frame in seen if frame.kind == "error"]
    assert any(message in text for text in errors), errors
    assert seen.last.kind == "frame"  # and it goes on


def test_slow_motion_has_ten_stages_and_moves_at_two_of_them(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("slow", {"on": True}))
    steps = []
    for _ in CAPTIONS:
        made.obey(Frame("step", {"who": "b"}))
        steps.append(seen.last.facts["step"])
    assert steps == [0] * 4 + [1] * 5 + [2]
    assert seen.last.facts["caption"][:3] == [10, 10, "G"]
    assert seen.last.facts["history"] == [["d", 1], ["g", 1]]


def test_a_session_begins_at_the_usual_speed_unless_told(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    setup = {"data": "ring", **TINY}
    made.obey(Frame("begin", {"setup": setup, "slow": True, "speed": 0}))
    assert (seen.last.facts["slow"], seen.last.facts["speed"]) == (True, 0)
    made.obey(Frame("begin", {"setup": setup, "speed": "x"}))
    assert (seen.last.facts["slow"], seen.last.facts["speed"]) == (True, 0)
    made.obey(Frame("begin", {"setup": setup}))
    assert (seen.last.facts["slow"], seen.last.facts["speed"]) == (False, 3)


def test_a_link_is_played_again_and_then_goes_on(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    history = [["d", 3], ["set", "objective", "hinge"], ["b", 70]]
    made.obey(Frame("begin", {"setup": {"data": "ring", **TINY}, "history": history}))
    assert seen.last.facts["restoring"] == [0, 73]
    finish(made)
    assert seen.last.facts["history"] == history
    assert seen.last.facts["restoring"] is None
    assert seen.last.facts["setup"]["objective"] == "hinge"
    assert not seen.last.facts["playing"]


def test_a_link_with_a_bad_setting_is_a_line_and_leaves_the_session(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("step", {"who": "b"}))
    finish(made)
    history = [["b", 3], ["set", "r1", 9999], ["b", 3]]
    made.obey(Frame("begin", {"setup": {"data": "ring", **TINY}, "history": history}))
    assert "r1:9999" in seen[-2].facts["text"]
    assert seen[-2].facts["refused"] == "begin"
    assert seen.last.facts["history"] == [["b", 1]]
    made.pending = [["set", "r1", 9999], ["b", 3]]  # what no check has seen stops the replay
    finish(made)
    assert any("expected from 0 to 100" in frame.facts["text"] for frame in seen[-3:] if frame.kind == "error")
    assert seen.last.facts["step"] == 1


def test_a_picture_tells_which_session_was_begun(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("begin", {"setup": {"data": "ring", **TINY}, "number": 4}))
    assert seen.last.facts["begun"] == 4
    made.obey(Frame("begin", {"setup": {"data": "nonsense"}, "number": 5}))
    assert seen.last.facts["begun"] == 4


def test_playing_takes_the_speed_that_was_asked_for(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("speed", {"level": 3}))
    made.obey(Frame("play", {"on": True}))
    assert made.wait() == pytest.approx(0, abs=0.01)
    made.tick()
    assert 1 <= seen.last.facts["step"] <= 9  # a twelfth of 100
    made.obey(Frame("speed", {"level": -5}))
    assert seen.last.facts["speed"] == 0
    before = seen.last.facts["step"]
    made.tick()
    assert seen.last.facts["step"] == before + 1
    assert made.wait() > 0.5  # type: ignore[operator]
    made.obey(Frame("play", {"on": False}))
    assert made.wait() is None


def test_at_the_limit_of_its_link_a_game_halts(booth: tuple[Booth, Seen], monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = booth
    monkeypatch.setattr("ganvas.studio.play.stage.MOST_REPLAYED", 3)
    made.obey(Frame("speed", {"level": 4}))
    made.obey(Frame("play", {"on": True}))
    made.tick()
    assert (seen.last.facts["step"], seen.last.facts["playing"]) == (3, False)
    assert "at most 3 steps" in seen[-2].facts["text"]


def test_other_networks_begin_anew_and_play_on(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    made.obey(Frame("play", {"on": True}))
    made.tick()
    made.obey(Frame("set", {"name": "width", "value": 16}))
    assert seen.last.facts["step"] == 0
    assert seen.last.facts["playing"]
    made.obey(Frame("reset"))
    assert not seen.last.facts["playing"]


def test_undo_takes_back_settings_and_takes_up_the_game_before(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    begin = {"setup": {"data": "ring", **TINY}, "number": 1}
    made.obey(Frame("begin", begin))
    made.obey(Frame("begin", {**begin, "number": 2}))  # the same again: nothing to undo
    assert seen.last.facts["undo"] == ""
    made.obey(Frame("undo", {}))
    assert "nothing to undo" in seen[-2].facts["text"]
    made.obey(Frame("step", {"who": "b", "count": 3}))
    finish(made)
    weights = made.stage.game.G[0].weight.clone()
    made.obey(Frame("set", {"name": "r1", "value": 2}))
    assert seen.last.facts["undo"] == "take back r1 = 2"
    made.obey(Frame("set", {"name": "width", "value": 9}))
    made.obey(Frame("reset", {"data": "brush", "points": [[0, 0], [1, 1]]}))
    assert seen[-2].facts["undo"]
    undone = []
    for _ in range(3):
        made.obey(Frame("undo", {}))
        undone.append((seen.last.facts["setup"]["width"], seen.last.facts["setup"]["r1"], seen.last.facts["step"]))
    assert undone == [(9, 2, 0), (8, 2, 3), (8, usual("ring").r1, 3)]
    assert seen[-2].facts["points"] == ()
    assert torch.equal(made.stage.game.G[0].weight, weights)
    assert seen.last.facts["ring"] == [0, 1]  # of a game that was left long ago the present state alone
    assert seen.last.facts["undo"] == ""
    made.obey(Frame("step", {"who": "b"}))
    finish(made)
    for _ in range(2):
        made.obey(Frame("reset"))
        made.obey(Frame("undo", {}))
        assert seen.last.facts["ring"] == [1, 2]  # of the one that was left last the whole ring, again and again
    made.obey(Frame("rewind", {"place": 0}))
    assert seen.last.facts["step"] == 3


def test_one_mode_is_no_number_of_modes() -> None:
    stage = Stage(Setup(data="normal1d", **{**TINY, "latent_dim": 1}))
    said = picture.summary(stage, {"modes": 1, "captured": 1, "covered": 0.3, "kl": 1.0, "js": 0.1})
    assert "cover 30% of the data" in said
    assert "modes" not in said


def test_noise_is_laid_out_where_the_picture_is() -> None:
    stage = Stage(Setup(data="ring", **TINY))
    arrays = picture.seen(stage)
    assert arrays["noise"].shape == arrays["fake"].shape
    assert arrays["ground"].shape == arrays["grid"].shape
    assert np.ptp(arrays["ground"][0, :, 1]) == np.ptp(arrays["ground"][:, 0, 0])
    square = picture.laid_out(Stage(Setup(data="ring", noise="uniform", **TINY)), torch.tensor([[-9.0, 0.0], [9.0, 9.0]]))
    assert (square.flatten() / stage.material.reach).tolist() == pytest.approx([-0.9, 0, 0.9, 0.9])
    line = Stage(Setup(data="ring", latent_dim=1, **TINY))
    assert picture.seen(line)["ground"].shape == picture.seen(line)["grid"].shape == (1, 102, 2)


def test_a_game_without_finite_numbers_stops_and_says_so(booth: tuple[Booth, Seen]) -> None:
    made, seen = booth
    with torch.no_grad():
        made.stage.game.D[0].weight.fill_(math.nan)
    made.obey(Frame("step", {"who": "b", "count": 20}))
    finish(made)
    assert any("finite" in frame.facts["text"] for frame in seen if frame.kind == "error")
    assert seen.last.facts["step"] == 10
    decode(encode(seen.last))


@pytest.mark.parametrize("data", BUILT_IN)
def test_every_picture_fits_into_a_frame_beside_the_others(booth: tuple[Booth, Seen], data: str) -> None:
    made, seen = booth
    made.obey(Frame("begin", {"setup": {"data": data, **TINY, "beside": "both", "latent_dim": 1 if "1d" in data else 2}}))
    made.obey(Frame("step", {"who": "b", "count": 2}))
    finish(made)
    assert len(encode(seen.last)) < LARGEST / 5
    arrays = seen.last.arrays
    assert all(np.isfinite(array).all() for name, array in arrays.items() if not name.endswith("_values"))
    assert arrays["tail"].shape == arrays["pull"].shape
    if data.endswith("1d"):
        assert arrays["best"].max() <= 1
        assert np.trapezoid(arrays["density"], arrays["x"]) == pytest.approx(1, abs=0.02)
    else:
        assert arrays["surface"].shape == (44, 44)
        assert arrays["grid"].shape == (17, 17, 2)
    assert arrays["vae"].shape[1] == seen.last.facts["dims"]
    assert ("regions" in arrays) == (data in ("mixture1d", "gaussians", "ring", "grid", "moons"))


def test_a_pull_is_minus_the_slope_of_that_fakes_loss() -> None:
    stage = Stage(Setup(data="gaussians", width=8, critic_width=8, depth=1, critic_depth=1, batch=16))
    fake = torch.tensor([[0.3, -0.2], [1.0, 0.5]])
    pull = picture.pulled(stage, fake)["pull"]
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
    assert curves.arrays("of", 1000)["of_steps"].max() <= 1000  # earlier than the last, which is kept
    assert curves.steps[-1] == 1008
    arrays = curves.arrays("of", 1009, {"a": 7.0})  # what was thinned out is shown while it is now
    assert (arrays["of_steps"][-1], arrays["of_values"][-1, 0]) == (1009, 7)
    assert curves.arrays("of", 1008, {"a": 7.0})["of_values"][-1, 0] == 1
    assert curves.steps[-1] == 1008


def test_a_file_of_points_is_centred_and_capped() -> None:
    body = "a;b\n" + "\n".join(f"{i};{100 + i % 3}" for i in range(5000))
    found: Any = read_points(body.encode())
    assert found["rows"] == 5000
    assert len(found["points"]) == MOST_POINTS
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
        Setup().changed("no_such", 1)
    assert Setup().changed("objective", "wasserstein").d_moves == 5
    assert Setup().changed("objective", "wasserstein-gp").penalty == 10
    assert Setup().changed("objective", "wasserstein").changed("objective", "hinge").clip == 0
