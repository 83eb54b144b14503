"""The embedded emoji: the shipped files, splits by name, and no pairs in domains without pairs."""

from __future__ import annotations

import hashlib
import io
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.builtin import emoji_sets
from ganvas.data.builtin.embedded_files import FOLDER, fit_pictures, read_embedded
from ganvas.data.builtin.emoji_sets import find, is_test, load_emoji, open_emoji
from ganvas.data.collection import ImageCollection
from ganvas.data.paired import PairedDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError
from ganvas.metrics.resize import shrink

COUNTS = {"train": 1098, "test": 298}
LIMIT = 16_000_000


@pytest.fixture(autouse=True)
def _shared(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))  # decoded once for all tests


def opened(source: str, needs: tuple[str, ...], **settings: object) -> PairedDataset:
    data = open_emoji(DataConfig(source=source, **settings), needs)  # type: ignore[arg-type]
    assert isinstance(data, PairedDataset)
    return data


def test_the_file_is_the_documented_one_and_all_sets_are_small() -> None:
    content = (FOLDER / "emoji.zip").read_bytes()
    assert hashlib.sha256(content).hexdigest() == emoji_sets.SHA256
    assert emoji_sets.SHA256 in (FOLDER / "README.md").read_text()
    assert len(content) + sum(path.stat().st_size for path in (FOLDER / "earth").iterdir()) <= LIMIT


def test_every_emoji_is_in_every_style_and_in_one_split() -> None:
    with zipfile.ZipFile(FOLDER / "emoji.zip") as archive:
        members = archive.namelist()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    emoji = load_emoji()
    assert members == [f"{style}/{name}.webp" for style in emoji_sets.STYLES for name in emoji.names]
    assert len(set(emoji.names)) == sum(COUNTS.values())
    rows = {split: set(emoji.rows(split).tolist()) for split in COUNTS}
    assert {split: len(found) for split, found in rows.items()} == COUNTS
    assert not rows["train"] & rows["test"]
    assert all(is_test(emoji.names[i]) for i in rows["test"])


def test_pictures_are_on_white_and_pairs_lie_on_each_other() -> None:
    data = opened("emoji-shading", ("source", "real"))
    assert data.main == "real"
    assert data.facts.names == {"source": "flat", "real": "shaded"}
    assert data.facts.shapes == {"real": (3, 64, 64), "source": (3, 64, 64)}
    flat, shaded = (data.fields[name][::9] for name in ("source", "real"))
    assert (flat[:, :, 0, 0] == 255).all(1).double().mean() > 0.95
    inside = [(x.float().mean(1) < 245) for x in (flat, shaded)]
    overlap = (inside[0] & inside[1]).sum((1, 2)) / (inside[0] | inside[1]).sum((1, 2))
    assert overlap.median() > 0.9


@pytest.mark.parametrize("split", COUNTS)
@pytest.mark.parametrize(("source", "names"), [("emoji-shading", ("flat", "shaded")), ("emoji-styles", ("fluent", "noto"))])
def test_needs_decide_the_fields(source: str, names: tuple[str, str], split: str) -> None:
    pair = opened(source, ("source", "real"), split=split)
    assert tuple(pair.facts.names.values()) == names
    swapped = opened(source, ("real", "source"), split=split, swap=True)
    assert torch.equal(pair.fields["source"], swapped.fields["real"])
    assert tuple(swapped.facts.names.values()) == names[::-1]
    assert len(pair) == COUNTS[split]
    low = opened(source, ("low", "real"), split=split, pair="bicubic-2")
    assert torch.equal(low.fields["low"][:3], shrink(low.fields["real"][:3], 2))
    assert torch.equal(low.fields["real"], pair.fields["real"])
    domains = open_emoji(DataConfig(source=source, split=split), ("a", "b"))  # type: ignore[arg-type]
    assert domains.facts.names == dict(zip("ab", names, strict=True))
    batch = domains.batch(0, 0, 2)
    assert {name: tuple(x.shape) for name, x in batch.items()} == {"a": (2, 3, 64, 64), "b": (2, 3, 64, 64)}
    if split == "test":  # the held-out pairs tell the truth
        assert isinstance(domains, PairedDataset)
        assert torch.equal(domains.fields["a"], pair.fields["source"])
    else:
        assert isinstance(domains, UnpairedDataset)
        assert len(domains) == COUNTS[split]
    for needs in (("map", "real"), ("source", "driving")):
        with pytest.raises(DataError, match=f"{source} has pairs of pictures and no"):
            open_emoji(DataConfig(source=source), needs)


def test_training_without_pairs_meets_the_same_emoji_as_rarely_as_by_chance() -> None:
    data = open_emoji(DataConfig(source="emoji-shading"), ("a", "b"))
    assert isinstance(data, UnpairedDataset)
    number = {
        name: {x.numpy().tobytes(): i for i, x in enumerate(t.fields["real"])} for name, t in (("a", data.a), ("b", data.b))
    }
    batch = data.batch(3, 0, 2 * len(data))
    same = sum(
        number["a"][a.numpy().tobytes()] == number["b"][b.numpy().tobytes()]
        for a, b in zip(batch["a"], batch["b"], strict=True)
    )
    assert same <= 12  # two are expected


def test_crops_sizes_and_grey() -> None:
    data = opened("emoji-styles", ("low", "real"), pair="bicubic-4", crop=32, flip=True)
    batch = data.batch(0, 0, 2)
    assert batch["real"].shape == (2, 3, 32, 32)
    assert batch["low"].shape == (2, 3, 8, 8)
    small = open_emoji(DataConfig(source="emoji-shading", split="test"), ("source", "real"), 32, 1)
    assert small.facts.shapes == {"real": (1, 32, 32), "source": (1, 32, 32)}
    with pytest.raises(UsageError, match="expected bicubic-2 or bicubic-4"):
        opened("emoji-shading", ("low", "real"))


def test_grey_is_that_of_pillow() -> None:
    pixels = torch.randint(0, 256, (1, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    theirs = np.asarray(Image.fromarray(pixels[0].permute(1, 2, 0).numpy()).convert("L"))
    assert (fit_pictures(pixels, 16, 1)[0, 0].numpy() == theirs).all()
    with pytest.raises(UsageError, match="channels 2"):
        fit_pictures(pixels, 16, 2)


def test_alone_they_are_pictures_with_categories() -> None:
    found = find("emoji-shading", "test").load()
    assert isinstance(found, ImageCollection)
    assert found.splits == ("train", "test")
    assert len(found.names) == COUNTS["test"]
    assert len(found.classes) == 9
    emoji = load_emoji()
    first = int(emoji.rows("test")[0])
    assert (found.read(0, 0) == emoji.pictures["shaded"][first].permute(1, 2, 0).numpy()).all()
    assert found.labels is not None
    assert found.classes[found.labels[0]] == emoji.names[first].partition("/")[0]


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ganvas.data.builtin.embedded_files.FOLDER", tmp_path)
    with pytest.raises(DataError, match="No such file or directory; install ganvas again"):
        read_embedded("emoji.zip", emoji_sets.SHA256)
    (tmp_path / "emoji.zip").write_bytes(b"other")
    with pytest.raises(DataError, match="its SHA-256 is not"):
        read_embedded("emoji.zip", emoji_sets.SHA256)


def test_the_tool_makes_the_same_bytes(originals: Path) -> None:
    """Of one emoji in each style."""
    found = spec_from_file_location("embed_pictures", Path(__file__).parents[3] / "tools" / "embed_pictures.py")
    assert found is not None
    assert found.loader is not None
    tool = module_from_spec(found)
    found.loader.exec_module(tool)
    name = load_emoji().names[7]
    with zipfile.ZipFile(FOLDER / "emoji.zip") as packed:
        for style, archive in tool.EMOJI.items():
            with zipfile.ZipFile(originals / "emoji" / f"{archive}.zip") as original:
                ours = tool.encode_emoji(original.read(f"{name}.png"))
            kept = packed.read(f"{style}/{name}.webp")
            pixels = [np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in (ours, kept)]
            assert (pixels[0] == pixels[1]).all()  # another version of WebP may pack the same pixels otherwise
