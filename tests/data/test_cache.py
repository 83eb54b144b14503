"""The cache: used again, made again when the source changes or an entry is damaged, done without when it must be."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data import cache, collection
from ganvas.data.images import Fit, fit_to_side
from ganvas.data.levels import Bytes
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError

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
        return fit_to_side(pixels, resolution, channels, fit)

    monkeypatch.setattr(collection, "fit_to_side", counted)
    return calls


def opened(folder: Path, **asked: int) -> TableDataset:
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
            record.write_text(record.read_text().replace('"labelled": true', '"labelled": false'))
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


def test_labels_are_kept_as_numbers_not_as_text(cache_root: Path) -> None:
    """A million labels take eight bytes each, and are not parsed as JSON at each opening."""
    labels = torch.randint(-5, 2**40, (1_000,))

    def build(file: BinaryIO) -> cache.Record:
        file.write(bytes(1_000 * 4))
        return cache.Record((1_000, 1, 2, 2), labels, ("a",), (), splits=("train", "test"))

    name = cache.entry_name("labels")
    cache.store(name, build)
    found = cache.read(name)
    assert found is not None
    assert found[1].labels is not None
    assert torch.equal(found[1].labels, labels)
    assert found[1].splits == ("train", "test")
    assert (cache_root / "ganvas" / f"{name}.u8").stat().st_size == 1_000 * (4 + 8)
    assert len((cache_root / "ganvas" / f"{name}.json").read_bytes()) < 300


def entry(number: int, age: float, size: int = 1_000) -> str:
    """An entry of so many bytes that was last used so many seconds ago."""
    name = cache.entry_name("entry", number)
    cache.store(name, lambda file: cache.Record((file.write(bytes(size)), 1, 1, 1), None, (), ()))
    for path in cache.cache_folder().glob(f"{name}.*"):
        os.utime(path, (time.time() - age,) * 2)
    return name


def names() -> set[str]:
    """The entries in the cache."""
    return {path.stem for path in cache.cache_folder().iterdir()}


def test_the_entries_used_longest_ago_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    old, older, young, fresh = entry(0, 5_000), entry(1, 9_000), entry(2, 2_000), entry(3, 10)
    assert cache.evict() == []  # all fit
    assert cache.read(older) is not None  # now it was used
    monkeypatch.setenv("GANVAS_CACHE_GB", "3.5e-6")  # 3,500 bytes
    assert cache.evict() == [old]
    monkeypatch.setenv("GANVAS_CACHE_GB", "1e-9")
    assert cache.evict(spare=young) == []  # it and the ones in use
    assert names() == {older, young, fresh}
    assert cache.evict() == [young]


def test_a_new_entry_deletes_old_ones_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_CACHE_GB", "1.5e-6")
    first, second = entry(0, 5_000), entry(1, 5_000, size=10_000)
    assert names() == {second}  # larger than all the room there is, and yet kept: it is in use
    assert first != second


def test_what_a_crash_left_is_deleted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    name = entry(0, 5_000)
    (cache.cache_folder() / f"{name}.json").unlink()
    (cache.cache_folder() / "fashion-mnist").mkdir()
    (cache.cache_folder() / "other.txt").write_bytes(bytes(9_999))
    monkeypatch.setenv("GANVAS_CACHE_GB", "1e-9")
    assert cache.evict() == [name]
    assert names() == {"fashion-mnist", "other"}  # nothing else is touched


def test_pixels_in_use_outlive_their_entry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(folder)
    before = source.fields["real"].clone()
    for path in cache.cache_folder().iterdir():
        os.utime(path, (1, 1))
    monkeypatch.setenv("GANVAS_CACHE_GB", "1e-9")
    assert len(cache.evict()) == 1
    assert torch.equal(source.fields["real"], before)
    assert torch.equal(opened(folder).fields["real"], before)  # made again


def test_processes_may_delete_while_others_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = opened(folder).fields["real"].clone()
    monkeypatch.setattr(cache, "GRACE", -10)  # the worst case: nothing is spared
    monkeypatch.setenv("GANVAS_CACHE_GB", "1e-9")
    wrong: list[object] = []

    def read() -> None:
        for _ in range(20):
            if not torch.equal(opened(folder).fields["real"], expected):
                wrong.append(folder)

    def delete() -> None:
        for _ in range(200):
            with suppress(FileNotFoundError):
                cache.evict()

    threads = [threading.Thread(target=work) for work in (read, read, delete, delete)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("given", ["much", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_CACHE_GB", given)
    with pytest.raises(UsageError, match="GANVAS_CACHE_GB: expected a number of gigabytes above 0, found"):
        cache.max_bytes()


def test_an_entry_of_an_earlier_format_is_made_again(folder: Path, cache_root: Path, decoded: list[int]) -> None:
    opened(folder)
    (record,) = (cache_root / "ganvas").glob("*.json")
    values = json.loads(record.read_bytes())
    del values["labelled"]
    record.write_text(json.dumps(values | {"labels": [0, 0, 1]}))
    assert opened(folder).fields["label"].tolist() == [0, 0, 1]
    assert len(decoded) == 6
