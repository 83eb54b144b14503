"""The cache: used again, made again when the source changes or an entry is damaged, done without when it must be."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data import Source, open_source, pictures
from ganvas.data.images import Bytes, Fit, fitted

WritePicture = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, write_picture: WritePicture) -> Path:
    """Three grey pictures in two classes."""
    for i, name in enumerate(["a/0.png", "a/1.png", "b/2.png"]):
        write_picture(tmp_path / "p" / name, i)
    return tmp_path / "p"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for every picture that is brought to size."""
    calls: list[int] = []

    def counted(pixels: Bytes, resolution: int, channels: int, fit: Fit) -> Bytes:
        calls.append(1)
        return fitted(pixels, resolution, channels, fit)

    monkeypatch.setattr(pictures, "fitted", counted)
    return calls


def opened(folder: Path, **asked: int) -> Source:
    return open_source(DataConfig(source=str(folder)), **asked)  # type: ignore[arg-type]


def test_second_opening_decodes_nothing(folder: Path, decoded: list[int], cache_root: Path) -> None:
    first = opened(folder)
    assert len(decoded) == 3
    second = opened(folder)
    assert len(decoded) == 3
    assert torch.equal(first.fields["real"], second.fields["real"])
    assert torch.equal(first.fields["label"], second.fields["label"])
    assert (first.classes, first.skipped, first.fingerprint) == (second.classes, second.skipped, second.fingerprint)
    assert sorted(path.suffix for path in (cache_root / "ganvas").iterdir()) == [".json", ".u8"]


def test_other_settings_are_other_entries(folder: Path, decoded: list[int]) -> None:
    assert opened(folder, resolution=8).fields["real"].shape == (3, 1, 8, 8)
    assert opened(folder, resolution=8, channels=3).fields["real"].shape == (3, 3, 8, 8)
    assert len(decoded) == 6


def test_changes_of_the_source_are_seen(folder: Path, decoded: list[int], write_picture: WritePicture) -> None:
    first = opened(folder)
    write_picture(folder / "b" / "2.png", 9)
    os.utime(folder / "b" / "2.png", ns=(1, 1))
    changed = opened(folder)
    assert changed.fingerprint != first.fingerprint
    write_picture(folder / "b" / "3.png", 10)
    assert len(opened(folder)) == 4
    (folder / "b" / "3.png").rename(folder / "a" / "3.png")
    assert opened(folder).fields["label"].tolist() == [0, 0, 0, 1]


def test_copies_share_a_fingerprint(folder: Path, tmp_path: Path) -> None:
    first = opened(folder).fingerprint
    folder.rename(tmp_path / "moved")
    assert opened(tmp_path / "moved").fingerprint == first


@pytest.mark.parametrize("damage", ["cut", "grown", "gone", "junk", "not ours", "fewer labels"])
def test_damaged_entries_are_made_again(folder: Path, cache_root: Path, damage: str) -> None:
    first = opened(folder).fields["real"].clone()
    (data,) = (cache_root / "ganvas").glob("*.u8")
    (record,) = (cache_root / "ganvas").glob("*.json")
    match damage:
        case "cut":
            data.write_bytes(data.read_bytes()[:-1])
        case "grown":
            data.write_bytes(data.read_bytes() + b"\0")
        case "gone":
            data.unlink()
        case "junk":
            record.write_bytes(b"\xff{")
        case "not ours":
            record.write_text("[1]")
        case "fewer labels":
            record.write_text(record.read_text().replace("[0, 0, 1]", "[0, 0]"))
    assert torch.equal(opened(folder).fields["real"], first)


def homeless() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("where", ["a file", "relative, no home"])
def test_without_a_cache_folder_all_stays_in_memory(
    folder: Path, cache_root: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    kept = opened(folder)
    if where == "a file":
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache_root.with_name("blocked")))
        cache_root.with_name("blocked").write_text("in the way")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        monkeypatch.setattr(Path, "home", homeless)
    source = opened(folder)
    assert torch.equal(source.fields["real"], kept.fields["real"])
    assert source.fingerprint == kept.fingerprint
    assert source.samples(torch.arange(3))["label"].tolist() == [0, 0, 1]


def test_a_full_disk_falls_back_to_memory(folder: Path, cache_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (cache_root / "ganvas").mkdir(parents=True)
    assert len(opened(folder)) == 3
    assert list((cache_root / "ganvas").iterdir()) == []


def test_a_race_of_builders_ends_well(folder: Path, cache_root: Path) -> None:
    prints: list[str] = []
    racers = [threading.Thread(target=lambda: prints.append(opened(folder).fingerprint)) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(prints) == 4
    assert len(set(prints)) == 1
    assert sorted(path.suffix for path in (cache_root / "ganvas").iterdir()) == [".json", ".u8"]
