"""Clips: two frames of one clip in a row, always others in training, always the same to measure; whole clips are held out."""

from __future__ import annotations

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data.builtin import emoji_clips, puppets
from ganvas.data.clips import ClipTable, make_clips
from ganvas.data.open import open_source
from ganvas.data.open_clips import open_emoji_clips, open_puppets
from ganvas.data.open_fields import open_fields
from ganvas.errors import DataError, UsageError
from ganvas.games.translation_choice import find_translation

LENGTHS = [3, 5, 2, 4, 6, 4, 3, 5]


def table(**settings: object) -> ClipTable:
    """Frame k of clip c is one color: red has the clip, green the frame."""
    frames = torch.zeros(sum(LENGTHS), 3, 4, 4, dtype=torch.uint8)
    frames[:, 0] = torch.repeat_interleave(torch.arange(len(LENGTHS)), torch.tensor(LENGTHS))[:, None, None]
    frames[:, 1] = torch.cat([torch.arange(length) for length in LENGTHS])[:, None, None]
    return make_clips("colors", frames, LENGTHS, **settings)


def test_a_batch_has_two_frames_of_one_clip() -> None:
    data, pairs = table(), set()
    for start in range(0, 2_000, 50):
        batch = data.batch(1, start, 50)
        clips, numbers = ({name: x[:, channel, 0, 0] for name, x in batch.items()} for channel in (0, 1))
        assert torch.equal(clips["source"], clips["driving"])
        assert not (numbers["source"] == numbers["driving"]).any()
        pairs |= set(zip(clips["source"].tolist(), numbers["source"].tolist(), numbers["driving"].tolist(), strict=True))
    assert len(pairs) == sum(n * (n - 1) for n in LENGTHS), "every pair of frames comes"
    assert torch.equal(data.batch(1, 30, 20)["source"], data.batch(1, 0, 50)["source"][30:])


def test_rows_are_always_the_same_pairs_half_a_clip_apart() -> None:
    data = table()
    rows = data.rows(torch.tensor([0, 3, 4]))
    assert rows["driving"][:, 1, 0, 0].tolist() == [0, 0, 1]
    assert rows["source"][:, 1, 0, 0].tolist() == [1, 2, 3]
    assert rows["source"][:, 0, 0, 0].tolist() == [0, 1, 1]


def test_whole_clips_are_held_out() -> None:
    frames = torch.arange(40, dtype=torch.uint8).repeat_interleave(8)[:, None, None, None].expand(-1, 3, 4, 4)
    rest, held = make_clips("many", frames, [8] * 40).hold_out(0.1)
    assert held is not None
    kept, out = (set(part.rows(torch.arange(len(part)))["driving"][:, 0, 0, 0].tolist()) for part in (rest, held))
    assert not kept & out
    assert (rest.clips, held.clips) == (len(kept), len(out)) == (36, 4)
    assert set(held.batch(0, 0, 200)["source"][:, 0, 0, 0].tolist()) == out


def test_a_clip_of_one_frame_is_refused() -> None:
    with pytest.raises(DataError, match="two frames or more"):
        make_clips("short", torch.zeros(3, 3, 4, 4, dtype=torch.uint8), [2, 1])


def test_mirrored_frames_are_mirrored_both() -> None:
    frames = torch.arange(4, dtype=torch.uint8).expand(8, 3, 4, 4).clone()
    batch = make_clips("ramps", frames, [4, 4], flip=True).batch(0, 0, 64)
    first = batch["source"][:, 0, 0, 0]
    assert torch.equal(first, batch["driving"][:, 0, 0, 0])
    assert set(first.tolist()) == {0, 3}


def test_the_emoji_of_the_test_split_are_others() -> None:
    train, test = (set(emoji_clips.list_clips(split)) for split in ("train", "test"))
    assert not train & test
    assert (len(train), len(test)) == (142, 30)
    data = open_emoji_clips(DataConfig(source="emoji-clips"), ("source", "driving"))
    assert (len(data), data.shape) == (142 * 8, (3, 64, 64))
    batch = data.batch(0, 0, 32)
    assert not torch.equal(batch["source"], batch["driving"])


def test_the_drivers_are_clips_of_the_test_split() -> None:
    shown = {code: emoji_clips.load_clips("test")[k * 8].numpy() for k, code in enumerate(emoji_clips.list_clips("test"))}
    for name in emoji_clips.DRIVERS:
        frames = emoji_clips.load_driver(name)
        assert frames.shape == (24, 64, 64, 3)
        assert any((first == frames[0].transpose(2, 0, 1)).all() for first in shown.values())
    with pytest.raises(UsageError, match="did you mean 'nod'"):
        emoji_clips.load_driver("nodd")


def test_the_archive_is_small() -> None:
    from ganvas.data.builtin.embedded_files import FOLDER

    assert (FOLDER / emoji_clips.FILE).stat().st_size <= 6_000_000


def test_puppets_have_their_joints_where_they_are_drawn() -> None:
    for number in range(6):
        frames, joints = puppets.make_clip("puppets", "test", number)
        assert frames.shape == (16, 3, 64, 64)
        assert joints.shape == (16, len(puppets.JOINTS), 2)
        assert abs(joints).max() < 0.9
        ground = frames[:, :, 0, 0]
        for frame in (0, 7):
            for x, y in joints[frame]:
                pixel = frames[frame, :, int((y + 1) * 32), int((x + 1) * 32)]
                assert abs(pixel.astype(int) - ground[frame]).max() > 8, "something is drawn at each joint"
    again, _ = puppets.make_clip("puppets", "test", 5)
    assert (again == frames).all()
    other, _ = puppets.make_clip("puppets", "train", 5)
    assert (other != frames).any()


def test_puppets_that_turn_keep_their_shape() -> None:
    for number in range(4):
        _, joints = puppets.make_clip("puppets-turning", "train", number)
        size = ((joints - joints.mean(1, keepdims=True)) ** 2).sum((1, 2)) ** 0.5
        shape = (joints - joints.mean(1, keepdims=True)) / size[:, None, None]
        lengths = ((shape[:, :, None] - shape[:, None]) ** 2).sum(-1)
        assert abs(lengths - lengths[0]).max() < 1e-9


def test_joints_belong_to_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(puppets, "COUNTS", {"train": 6, "test": 3})
    monkeypatch.setattr(puppets, "VERSION", "test")
    data = open_fields(DataConfig(source="puppets"), ("source", "driving"))
    assert isinstance(data, ClipTable)
    assert torch.equal(
        data.find_joints(torch.tensor([17])), torch.from_numpy(puppets.make_clip("puppets", "train", 1)[1][1:2]).float()
    )
    assert (data.rows(torch.tensor([17]))["driving"][0].numpy() == puppets.make_clip("puppets", "train", 1)[0][1]).all()
    with pytest.raises(DataError, match="nobody knows the joints"):
        table().find_joints(torch.tensor([0]))
    with pytest.raises(DataError, match="has clips, and no real"):
        open_puppets(DataConfig(source="puppets"), ("source", "real"))
    with pytest.raises(DataError, match="expected clips; choose emoji-clips"):
        open_fields(DataConfig(source="mnist"), ("source", "driving"))


def test_frames_of_clips_are_pictures_too_and_clips_have_a_recipe() -> None:
    pictures = open_source(DataConfig(source="emoji-clips", split="test"))
    assert (pictures.shape, len(pictures)) == ((3, 64, 64), 30 * 8)
    found = find_translation(DataConfig(source="emoji-clips"))
    assert found is not None
    assert (found.recipe, found.text, found.made) == ("motion-emoji", "142 clips", True)
