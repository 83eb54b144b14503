"""Drag: on a generator whose picture moves with w the handle goes where it shall; each end has its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from support import miniature_model
from torch import Tensor, nn

from ganvas.core.capabilities import Styled
from ganvas.editing import drag as module
from ganvas.editing.drag import REASONS, drag
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes
from ganvas.inference.loaded_game import LoadedGame

SIDE = 32
GAIN = 5.0  # pixels for a standard deviation of w
START = (12, 18)  # of the left spot; the right one is 10 pixels away


@dataclass(frozen=True)
class Config:
    resolution: int = SIDE
    channels: int = 1
    latent_dim: int = 4


class Spots(nn.Module, Styled):
    """Two spots: w[0] and w[1] of the first layer move the left one, w[2] and w[3] the right one.

    `reach` is how many pixels they get at most; the left one takes the right one along, `taken` of its way.
    """

    def __init__(self, reach: float = 100.0, taken: float = 0.0) -> None:
        super().__init__()
        self.config, self.reach, self.taken = Config(), reach, taken

    styles, layer_sides = 2, (SIDE // 2, SIDE)

    @property
    def w_mean(self) -> Tensor:
        return torch.zeros(4)

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return z

    def synthesize_features(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        w = w[:, None].expand(-1, 2, -1) if w.ndim == 2 else w
        moved = (GAIN * w[:, 0] / self.reach).tanh() * self.reach
        moved = torch.cat([moved[:, :2], moved[:, 2:] + self.taken * moved[:, :2]], 1)
        for side in self.layer_sides:
            line = (torch.arange(side) + 0.5) * SIDE / side - 0.5
            spots = []
            for x, y, row in ((*START, 0), (START[0] + 10, START[1], 2)):
                across = line[None, None] - x - moved[:, row, None, None]
                down = line[None, :, None] - y - moved[:, row + 1, None, None]
                away = (across.square() + down.square()) / 18
                spots += [(-away).exp(), (-away).exp() * across / 3, (-away).exp() * down / 3]
            yield torch.stack(spots, 1)

    def synthesize(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        *_, last = self.synthesize_features(w)
        return 2 * (last[:, :1] + last[:, 4:5].abs()) - 1  # unlike each other

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return self.synthesize(z)

    def style_weights(self) -> tuple[Tensor, ...]:
        return (torch.eye(4),)


def spots(reach: float = 100.0, taken: float = 0.0) -> Any:
    return LoadedGame(Spots(reach, taken), {"recipe": {"name": "spots"}, "classes": []}, "0" * 12)  # type: ignore[arg-type]


CODE = Codes("w", torch.zeros(1, 4), None, ("middle",))


def moved(found: Any) -> list[float]:
    """How far the spots really went: what the tracker knows nothing of."""
    return (GAIN * found.codes[-1][0]).tolist()


@pytest.mark.parametrize("way", [(8, 0), (-6, 5), (0, -9)])
def test_a_handle_reaches_its_target_and_the_rest_stays(way: tuple[int, int]) -> None:
    target = (START[0] + way[0], START[1] + way[1])
    found = drag(spots(), CODE, [START], [target])
    assert found.reason == "reached"
    assert found.distances[0] <= module.NEAR
    truly = (torch.tensor(moved(found)[:2]) - torch.tensor(way)).norm()
    assert truly < module.NEAR + 0.3  # not by its own word alone
    assert torch.equal(found.codes[:, 1], found.codes[:1, 1].expand_as(found.codes[:, 1])) or found.codes.shape[1] == 2


def test_the_tracker_knows_where_the_handle_is() -> None:
    """In each step, to a fraction of a pixel."""
    found = drag(spots(), CODE, [START], [(START[0] + 7, START[1] - 4)])
    truth = torch.tensor(START) + GAIN * found.codes[:, 0, :2]
    assert (found.paths[:, 0] - truth).norm(dim=1).max() < 0.5


def test_two_handles_go_two_ways() -> None:
    right = (START[0] + 10, START[1])
    found = drag(spots(), CODE, [START, right], [(START[0] - 4, START[1]), (right[0], right[1] + 5)])
    assert found.reason == "reached"
    assert max(found.distances) <= module.NEAR
    assert moved(found) == pytest.approx([-4, 0, 0, 5], abs=1.5)


def test_the_film_shows_each_step() -> None:
    one = spots()
    found = drag(one, CODE, [START], [(START[0] + 4, START[1])])
    assert len(found.film) == len(found.paths) == len(found.codes) == found.steps + 1
    assert torch.equal(found.film, one.space("w").pictures(found.codes, None))
    assert torch.equal(found.film[0], one.space("w").pictures(CODE.codes, None)[0])


def test_a_mask_holds_what_is_black(monkeypatch: pytest.MonkeyPatch) -> None:
    """The left spot takes the right one along, unless the mask holds it."""
    monkeypatch.setattr(module, "KEEP", 20.0)  # nearly all of these pictures is empty, and counts in the mean
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:, : START[0] + 4] = True
    target = [(START[0] - 5, START[1])]
    free, held = (drag(spots(taken=0.8), CODE, [START], target, each) for each in (None, mask))
    ways = [abs(moved(each)[2] + 0.8 * moved(each)[0]) for each in (free, held)]  # of the right spot, in truth
    assert held.reason == free.reason == "reached"
    assert ways[0] > 2
    assert ways[1] < 1


def test_a_mask_of_white_is_no_mask() -> None:
    target = [(START[0] + 4, START[1])]
    plain, white = (drag(spots(), CODE, [START], target, mask) for mask in (None, np.full((SIDE, SIDE), 255, np.uint8)))
    assert torch.equal(plain.codes, white.codes)


@pytest.mark.parametrize("grey", [0, 127])
def test_a_mask_that_is_black_at_the_handle_freezes_it(grey: int) -> None:
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    mask[START[1], START[0]] = grey
    found = drag(spots(), CODE, [START], [(20, 20)], mask)
    assert (found.reason, found.steps) == ("frozen", 0)


def test_a_mask_that_is_black_in_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP", 20.0)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:, : START[0] + 4] = True
    found = drag(spots(), CODE, [START], [(START[0] + 9, START[1])], mask)
    assert found.reason == "frozen"
    assert "mask" in REASONS[found.reason]


def test_what_the_model_cannot_show_is_told() -> None:
    found = drag(spots(reach=2.0), CODE, [START], [(START[0] + 9, START[1])])
    assert found.reason in ("stuck", "oscillation")
    assert found.steps < module.STEPS
    assert found.distances[0] > 5


def test_a_handle_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(features: Tensor, known: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        return points, torch.full((len(points),), 100.0)

    monkeypatch.setattr(module, "track", lose)
    found = drag(spots(), CODE, [START], [(START[0] + 9, START[1])])
    assert (found.reason, found.steps) == ("left", 1)


def test_pixels_that_are_elsewhere_make_it_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_by_pixels", lambda first, last, handle: handle)
    found = drag(spots(), CODE, [START], [(START[0] + 4, START[1])])
    assert found.reason == "doubtful"
    assert found.distances[0] <= module.CLOSE
    assert found.seen_distances == [4.0]


def test_the_pixels_see_what_truly_moved() -> None:
    found = drag(spots(), CODE, [START], [(START[0] - 5, START[1] + 3)])
    assert found.reason == "reached"
    assert found.seen_distances[0] <= 1


def test_a_handle_that_is_where_it_shall_be_needs_no_step() -> None:
    found = drag(spots(), CODE, [START], [START])
    assert (found.reason, found.steps, found.distances) == ("reached", 0, [0.0])


def test_the_limit_of_steps_is_told() -> None:
    found = drag(spots(), CODE, [START], [(START[0] + 9, START[1])], steps=5)
    assert (found.reason, found.steps) == ("limit", 5)


def test_watch_sees_each_step_and_may_end_it() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def watch(picture: Tensor, handles: Tensor) -> bool:
        seen.append((picture, handles))
        return len(seen) < 3

    found = drag(spots(), CODE, [START], [(START[0] + 9, START[1])], watch=watch)
    assert (found.reason, found.steps) == ("stopped", 3)
    for i, (picture, handles) in enumerate(seen, 1):
        torch.testing.assert_close(picture, found.film[i], rtol=0, atol=1e-5)
        assert torch.equal(handles, found.paths[i])


def test_an_interrupt_keeps_what_was_reached() -> None:
    def interrupt(picture: Tensor, handles: Tensor) -> None:
        raise KeyboardInterrupt

    found = drag(spots(), CODE, [START], [(START[0] + 9, START[1])], watch=interrupt)
    assert (found.reason, found.steps) == ("stopped", 1)


@pytest.mark.parametrize("name", ["stylegan2-fashion", "stylegan2-fashion-conditional", "stylegan-fashion"])
def test_the_games_with_styles(name: str) -> None:
    """The first picture is the sample of the seed, only early styles move, the model stays, and the answer is one."""
    one = miniature_model(name)
    weights = {key: value.clone() for key, value in one.game.state_dict().items()}
    label = 3 if one.classes else None
    found, again = (drag(one, 5, [(10, 12)], [(16, 12)], label=label, steps=8) for _ in range(2))
    sample = next(one.stream(1, 5, label))[0]
    torch.testing.assert_close(found.film[:1], sample, rtol=0, atol=1e-6)
    assert torch.equal(found.codes, again.codes)
    assert not torch.equal(found.codes[0], found.codes[-1])
    assert torch.equal(found.codes[0, -1], found.codes[-1, -1]) or name == "stylegan-fashion"
    assert all(torch.equal(value, weights[key]) for key, value in one.game.state_dict().items())
    assert all(each.grad is None for each in one.game.parameters())
    assert found.classes is None if label is None else found.classes.tolist() == [3]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["stylegan2-fashion", "stylegan-fashion"])
def test_features_end_in_the_picture(name: str) -> None:
    """They have the sides that the game says, and a later style changes no earlier features."""
    game: Any = miniature_model(name).game
    w = game.map(torch.randn(1, game.latent_dim, generator=torch.Generator().manual_seed(0)))
    w = w[:, None].repeat(1, game.styles, 1)
    plain = list(game.synthesize_features(w))
    assert tuple(each.shape[-1] for each in plain) == game.layer_sides
    w[:, 2] += 1
    other = list(game.synthesize_features(w))
    assert [torch.equal(a, b) for a, b in zip(plain, other, strict=True)] == [i < 2 for i in range(len(plain))]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"handles": [(32, 3)]}, "handle 32,3: expected a pixel of the picture, X from 0 to 31"),
        ({"targets": [(3, -1)]}, "target 3,-1"),
        ({"targets": [(float("nan"), 1)]}, "target nan,1"),
        ({"targets": [(1, 1), (2, 2)]}, "got 1 handle and 2 targets"),
        ({"handles": [], "targets": []}, "handles: expected a number from 1"),
        ({"steps": 0}, "steps"),
        ({"mask": np.ones((3, 3), bool)}, r"mask: expected bool or uint8 \[32, 32\], got bool \[3, 3\]"),
        ({"mask": np.ones((32, 32), float)}, "got float64"),
        ({"label": 3}, "without classes"),
        ({"place": Codes("w", torch.zeros(2, 4), None, ("a", "b"))}, "expected one code, got 2"),
    ],
)
def test_wrong_requests(given: dict[str, Any], says: str) -> None:
    asked = {"place": 0, "handles": [(1, 1)], "targets": [(2, 2)], **given}
    with pytest.raises(UsageError, match=says):
        drag(spots(), **asked)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gan-mnist", "drag: gan-mnist has no styles w; choose a model of a stylegan game, such as stylegan2-fashion"),
        ("classifier-mnist", "generates nothing"),
    ],
)
def test_models_without_styles(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        drag(miniature_model(name), 0, [(1, 1)], [(2, 2)])
