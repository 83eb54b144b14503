"""Motion: the warp of each part, what is learned, relative motion, and motions that are held back."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from translation_tables import play, smooth_images

from ganvas.core.game import Step
from ganvas.data.clips import make_clips
from ganvas.errors import UsageError
from ganvas.games.motion import MOST, RECIPES, Config, Motion
from ganvas.layers.keypoints import Pose
from ganvas.layers.smooth_warp import NUMBERS, SmoothWarp

TINY = Config(
    resolution=16,
    keypoints=3,
    detector_widths=(8, 8, 8),
    motion_widths=(8, 8, 8),
    draw_widths=(8, 8),
    critic_widths=(4, 4, 8),
)
STILLS = smooth_images()
FRAMES = torch.stack([STILLS[:12].roll(2 * step, -1) for step in range(4)], 1).flatten(0, 1)
DATA = make_clips("rolled", FRAMES, [4] * 12, fingerprint="0" * 16)
BATCH = DATA.samples(torch.arange(0, 48, 5))


def game(**changes: object) -> Motion:
    torch.manual_seed(0)
    return Motion(dataclasses.replace(TINY, channels=FRAMES.shape[1], **changes))  # type: ignore[arg-type]


def poses(n: int = 2) -> tuple[Pose, Pose]:
    random = torch.Generator().manual_seed(3)
    eye = torch.eye(2)
    one, two = (
        Pose(
            torch.rand(n, 3, 2, generator=random) - 0.5,
            eye + 0.2 * torch.randn(n, 3, 2, 2, generator=random),
        )
        for _ in range(2)
    )
    return one, two


def test_each_part_reads_the_source_at_its_own_keypoint() -> None:
    """Eq. 4: at the keypoint of the driving frame the source is read at its keypoint, around it as the matrices say."""
    of_source, driving = poses()
    driving = Pose(torch.zeros_like(driving.points) + 1 / 16, driving.jacobians)  # the center of pixel 8 of 16
    ways = game().G.motion.move_parts(of_source, driving, 16, 16)
    assert ways.shape == (2, 4, 16, 16, 2)
    torch.testing.assert_close(ways[:, 1:, 8, 8], of_source.points)
    step = ways[:, 1:, 8, 9] - ways[:, 1:, 8, 8]
    slope = of_source.jacobians @ torch.linalg.inv(driving.jacobians)
    torch.testing.assert_close(step, slope[..., 0] * 2 / 16, atol=1e-5, rtol=1e-4)
    assert torch.equal(ways[0, 0], ways[1, 0]), "the background rests"


def test_it_starts_as_a_warp_and_learns_to_move() -> None:
    made = game(pixel_share=1.0)
    state, terms = play(made, DATA, 60)
    assert state.dropped == 0
    assert sum(each["L1"] for each in terms[-5:]) < 0.9 * sum(each["L1"] for each in terms[:5])
    assert (made.steps > 0).all()


def test_the_discriminator_plays_in_the_last_part_only() -> None:
    made, step = game(), Step(items_seen=74, total_items=100)
    made.advance(step)
    assert [turn.name for turn in made.turns()] == ["reconstruct"]
    assert set(made.turns()[0].loss(BATCH, step)) == {"L1", "perceptual", "equivariance", "equivariance_J"}
    step = Step(items_seen=75, total_items=100)
    made.advance(step)
    assert [turn.trains for turn in made.turns()] == ["D", "G"]
    assert set(made.turns()[1].loss(BATCH, step)) == {"G", "L1", "perceptual", "equivariance", "equivariance_J"}


def test_keypoints_that_follow_a_bend_cost_nothing() -> None:
    made, step, (_, bent) = game(), Step(), poses()
    noise = torch.randn(2, NUMBERS, generator=torch.Generator().manual_seed(4))
    change = SmoothWarp.from_noise(noise)
    points, jacobians = change.move(bent.points), change.jacobian(bent.points) @ bent.jacobians
    other = torch.zeros_like(points)
    step.scratch |= {
        "warp": noise,
        "points": torch.cat([other, points, bent.points]),
        "jacobians": torch.cat([jacobians, jacobians, bent.jacobians]),
    }
    assert max(float(term) for term in made.equivary(step).values()) < 1e-4
    step.scratch["points"] = torch.cat([other, points + 0.1, bent.points])
    assert float(made.equivary(step)["equivariance"]) == pytest.approx(10 * 0.1, rel=1e-3)


def test_zero_order_has_no_matrices() -> None:
    made, step = game(first_order=False), Step()
    assert torch.equal(made.G.detect(BATCH["source"]).jacobians[0, 0], torch.eye(2))
    assert "equivariance_J" not in made.turns()[0].loss(BATCH, step)


def test_a_driver_that_rests_leaves_the_picture_in_its_pose() -> None:
    made = game()
    made.steps += 1
    made.turns_made += 1
    source, still = BATCH["source"][:2], BATCH["driving"][:2, None].expand(-1, 3, -1, -1, -1)
    with torch.no_grad():
        moved, own = made.animate(source, still, still[:, 0]), made.animate(source, source[:, None])
        motion = made.measure_motion(still, still[:, 0])
    torch.testing.assert_close(moved, own.expand_as(moved), atol=1e-4, rtol=1e-3)
    assert float(motion.max()) < 1e-3


def test_a_large_motion_is_held_back_to_the_largest_of_the_training() -> None:
    made, (of_source, first) = game(), poses()
    made.steps += 0.01**2
    made.turns_made += 1
    far = Pose(first.points + torch.tensor([0.3, 0.4]), first.jacobians)  # 0.5: 50 times the usual
    assert made.measure_excess(first, far).tolist() == pytest.approx([50 / MOST] * 2, rel=1e-3)
    held = made.follow(of_source, first, far)
    ways = (held.points - of_source.points).norm(dim=2)
    torch.testing.assert_close(ways, torch.full_like(ways, MOST * 0.01), atol=1e-5, rtol=1e-3)
    near = Pose(first.points + 0.01, first.jacobians)
    torch.testing.assert_close(made.follow(of_source, first, near).points, of_source.points + 0.01)
    torch.testing.assert_close(made.follow(of_source, first, near).jacobians, of_source.jacobians)


def test_the_settings_are_checked() -> None:
    with pytest.raises(UsageError, match="resolution: expected a multiple of 8"):
        Config(resolution=20)
    with pytest.raises(UsageError, match=r"config\.keypoints"):
        Config(keypoints=0)
    assert {recipe.game for recipe in RECIPES} == {"motion"}
