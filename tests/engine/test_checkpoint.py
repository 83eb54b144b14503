"""Checkpoints: exact round trips, old or new after a fault at any operation, every damage found."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from file_faults import HOSTILE, Crash, FaultyOs, names_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganvas.engine import checkpoint
from ganvas.engine.manifest import FORMAT
from ganvas.errors import DivergedError, ResourceError, UsageError
from ganvas.utils import files

Groups = dict[str, dict[str, Tensor]]
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
DTYPES = (*FLOATS, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """FaultyOs plays the power cut: waiting for the real disk shows nothing more."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def state(items: int) -> Groups:
    """Tensors that tell which save they are from."""
    return {
        "game": {"w": torch.full((3, 2), float(items)), "n": torch.tensor(items)},
        "optimizer.D": {"m": torch.ones(2) * items},
    }


def whole(found: checkpoint.Checkpoint | None) -> int:
    """The items of a checkpoint that is not a mixture of two."""
    assert found is not None
    wanted = state(found.items)
    assert found.meta == {"items": found.items}
    assert found.tensors.keys() == wanted.keys()
    for group, named in wanted.items():
        assert all(torch.equal(found.tensors[group][name], t) for name, t in named.items())
    return found.items


def put(folder: Path, items: int, keep: int = 3) -> Path:
    return checkpoint.save(folder, items, state(items), {"items": items}, keep)


def ignore(name: str, reason: str) -> None:
    pass


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    dtype = draw(st.sampled_from(DTYPES))
    made = torch.randint(-100, 100, shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 99)))).to(dtype)
    if dtype in FLOATS:
        made = made / 7
    kind = draw(st.sampled_from(["plain", "transposed", "strided", "channels_last", "expanded"]))
    if kind == "transposed":
        return made.movedim(0, -1) if shape else made
    if kind == "strided":
        return made[..., ::2] if shape else made
    if kind == "channels_last" and len(shape) == 4:
        return made.contiguous(memory_format=torch.channels_last)
    return made.expand(3, *shape) if kind == "expanded" else made


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda name: name != "__metadata__")
groups = st.dictionaries(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True).map(str.lower),
    st.dictionaries(names, tensors(), max_size=4),
    max_size=3,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(saved=groups, meta=st.dictionaries(st.text(max_size=5), json_values, max_size=3), items=st.integers(0, 10**12))
def test_any_state_comes_back_bit_for_bit(tmp_path: Path, saved: Groups, meta: dict[str, Any], items: int) -> None:
    folder = tmp_path / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    path = checkpoint.save(folder, items, saved, meta)
    found = checkpoint.load(folder, fail)
    assert found is not None
    assert (found.path, found.items, found.meta) == (path, items, meta)
    assert found.tensors.keys() == saved.keys()
    for group, named in saved.items():
        assert found.tensors[group].keys() == named.keys()
        for name, t in named.items():
            back = found.tensors[group][name]
            assert (back.dtype, back.shape) == (t.dtype, t.shape)
            assert torch.equal(back, t)


def fail(name: str, reason: str) -> None:
    raise AssertionError(f"{name} skipped: {reason}")


def test_every_bit_pattern_and_shared_memory_survive(tmp_path: Path) -> None:
    base = torch.arange(12.0)
    saved = {"game": {"all": base, "tied": base, "view": base[3:7], "zero": torch.tensor(-0.0), "tiny": torch.tensor(1e-45)}}
    checkpoint.save(tmp_path, 1, saved, {})
    found = checkpoint.load(tmp_path, fail)
    assert found is not None
    for name, t in saved["game"].items():
        assert torch.equal(found.tensors["game"][name].view(torch.int32), t.view(torch.int32)), name


def scenario_first(folder: Path) -> list[int]:
    return []


def scenario_second(folder: Path) -> list[int]:
    put(folder, 1)
    return [1]


def scenario_retention(folder: Path) -> list[int]:
    for items in (1, 2, 3):
        put(folder, items)
    return [3]


def scenario_damaged(folder: Path) -> list[int]:
    put(folder, 1)
    (put(folder, 9) / "game.safetensors").write_bytes(b"")
    return [1]


def scenario_stale(folder: Path) -> list[int]:
    put(folder, 1)
    stale = folder / f".ganvas-{files.MACHINE}-{os.getpid()}-00000000-00000000"
    shutil.copytree(folder / "000000001", stale)
    return [1]


SCENARIOS = [scenario_first, scenario_second, scenario_retention, scenario_damaged, scenario_stale]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_crash_at_each_operation_leaves_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Path], list[int]]
) -> None:
    at, seen = 0, set()
    while True:
        at += 1
        folder = tmp_path / str(at)
        before = scenario(folder)
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", FaultyOs(at))
            try:
                put(folder, 9)
            except Crash:
                pass
            else:
                break
        found = checkpoint.load(folder, ignore)
        assert (whole(found) if found else 0) in (9, *(before or [0]))
        seen.add(found.items if found else None)
        put(folder, 9, keep=1)  # the next start finishes the work
        assert whole(checkpoint.load(folder, fail)) == 9
        assert [name for name in names_in(folder) if not name.startswith(".ganvas")] == ["000000009"]
    assert len(seen) == 2
    assert at > 15


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE])
@pytest.mark.parametrize("scenario", SCENARIOS[:4])
def test_error_at_each_operation_keeps_the_last_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Path], list[int]], code: int
) -> None:
    at = 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        before = scenario(folder)
        faulty = FaultyOs(at, code)
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", faulty)
            try:
                put(folder, 9)
                break
            except ResourceError as error:
                told = str(error)
        assert "000000009" in told
        assert os.strerror(code) in told
        found = checkpoint.load(folder, ignore)
        assert (whole(found) if found else 0) in (9, *(before or [0]))
        assert list(folder.glob(".ganvas-*")) == []
    assert faulty.done < at
    assert at > 15


def test_a_disk_that_stays_read_only_costs_nothing_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, 1)
    for at in range(1, 12):
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", FaultyOs(at, errno.EROFS, lasting=True))
            with pytest.raises(ResourceError, match="Read-only"):
                put(tmp_path, 9)
        assert whole(checkpoint.load(tmp_path, fail)) == 1


def test_truncation_and_flips_are_all_found_and_named(tmp_path: Path) -> None:
    put(tmp_path, 1)
    newest = put(tmp_path, 2)
    rng = random.Random(0)

    def used() -> list[tuple[str, str]]:
        skipped: list[tuple[str, str]] = []
        assert whole(checkpoint.load(tmp_path, lambda name, reason: skipped.append((name, reason)))) == 1
        return skipped

    for path in sorted(newest.iterdir()):
        good = path.read_bytes()
        spoilt = [good[:cut] for cut in sorted({0, 1, len(good) - 1, *(rng.randrange(len(good)) for _ in range(60))})]
        for _ in range(200):
            bad = bytearray(good)
            bad[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
            spoilt.append(bytes(bad))
        spoilt += [good + b"\n", b"\0" * len(good), good[::-1]]
        for bad_bytes in spoilt:
            path.write_bytes(bad_bytes)
            ((name, reason),) = used()
            assert name == "000000002"
            assert path.name.removesuffix(".json") in reason + " manifest header"
        path.unlink()
        assert used()[0][0] == "000000002"
        path.write_bytes(good)
    (newest / "game.safetensors").rename(tmp_path / "x")
    (newest / "optimizer.D.safetensors").rename(newest / "game.safetensors")
    (tmp_path / "x").rename(newest / "optimizer.D.safetensors")
    assert "game.safetensors" in used()[0][1]


def test_a_checkpoint_under_another_number_is_refused(tmp_path: Path) -> None:
    put(tmp_path, 1).rename(tmp_path / "000000005")
    skipped: list[str] = []
    assert checkpoint.load(tmp_path, lambda _, reason: skipped.append(reason)) is None
    assert skipped == ["manifest.json belongs to another checkpoint, or lists no meta.json"]


def test_skips_are_logged_unless_asked_otherwise(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (put(tmp_path, 7) / "meta.json").write_text("{}")
    assert checkpoint.load(tmp_path) is None
    assert "checkpoint 000000007 skipped: meta.json holds 2 bytes, expected 12" in caplog.text


def forge(folder: Path, **contents: bytes) -> None:
    """A checkpoint whose manifest vouches for anything."""
    path = folder / "000000001"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    listing = {}
    for name, data in {"meta.json": b"{}", **contents}.items():
        (path / name).write_bytes(data)
        listing[name] = {"sha256": files.sha256(path / name), "size": len(data)}
    manifest = {"format": FORMAT, "items": 1, "files": listing}
    (path / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))


def test_a_manifest_that_vouches_for_hostile_tensors_is_no_help(tmp_path: Path) -> None:
    forge(tmp_path, **{"game.safetensors": safetensors.torch.save({"a": torch.ones(1)})})
    assert checkpoint.load(tmp_path, fail) is not None
    reasons: list[str] = []
    for data in HOSTILE.values():
        forge(tmp_path, **{"game.safetensors": data})
        assert checkpoint.load(tmp_path, lambda _, reason: reasons.append(reason)) is None
    for meta in (b"[" * 100_000, b"[]", b'{"a":' * 900 + b"1" + b"}" * 900 + b"x", b"\xff", b'{"a":1,"a":2}', b" " * (5 << 20)):
        forge(tmp_path, **{"meta.json": meta})
        assert checkpoint.load(tmp_path, lambda _, reason: reasons.append(reason)) is None
    assert len(reasons) == len(HOSTILE) + 6
    assert all(reason.isprintable() and len(reason) < 400 for reason in reasons)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b.safetensors", "x.pt", ".safetensors", "..", "", "a\n.safetensors"]
)
def test_a_manifest_names_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    forge(tmp_path)
    path = tmp_path / "000000001" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "size": 1}
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True))
    reasons: list[str] = []
    assert checkpoint.load(tmp_path, lambda _, reason: reasons.append(reason)) is None
    assert "wrongly" in reasons[0]


@pytest.mark.parametrize(
    "text", ["[" * 90_000, '{"a":' * 900 + "1" + "}" * 900, "{}", "[]", '{"files":[],"format":1,"items":1}']
)
def test_odd_manifests_are_refused(tmp_path: Path, text: str) -> None:
    forge(tmp_path)
    (tmp_path / "000000001" / "manifest.json").write_text(text)
    reasons: list[str] = []
    assert checkpoint.load(tmp_path, lambda _, reason: reasons.append(reason)) is None
    assert reasons
    assert "manifest.json" in reasons[0]


def test_retention_keeps_the_newest_valid_and_the_one_just_saved(tmp_path: Path) -> None:
    for items in range(1, 6):
        put(tmp_path, items)
    assert names_in(tmp_path) == ["000000003", "000000004", "000000005"]
    (tmp_path / "000000005" / "meta.json").unlink()
    (tmp_path / "notes").mkdir()
    put(tmp_path, 6)
    assert names_in(tmp_path) == ["000000003", "000000004", "000000006", "notes"]
    put(tmp_path, 1_000_000_000_000, keep=2)
    assert names_in(tmp_path) == ["000000006", "1000000000000", "notes"]
    put(tmp_path, 2, keep=2)  # older than all others: still not deleted at once
    assert names_in(tmp_path) == ["000000002", "1000000000000", "notes"]


def test_the_same_items_again_keeps_a_valid_one_and_replaces_a_damaged_one(tmp_path: Path) -> None:
    path = put(tmp_path, 4)
    inode = path.stat().st_ino
    assert checkpoint.save(tmp_path, 4, {}, {}) == path
    assert path.stat().st_ino == inode
    assert whole(checkpoint.load(tmp_path, fail)) == 4
    (path / "game.safetensors").write_bytes(b"")
    put(tmp_path, 4)
    assert whole(checkpoint.load(tmp_path, fail)) == 4


def test_nothing_that_is_not_finite_is_saved(tmp_path: Path) -> None:
    for bad in (float("nan"), float("inf")):
        spoilt = {"game": {"w": torch.tensor([1.0, bad], dtype=torch.bfloat16)}}
        assert not checkpoint.is_finite(spoilt)
        with pytest.raises(DivergedError, match="game/w"):
            checkpoint.save(tmp_path / "c", 1, spoilt, {})
    assert checkpoint.is_finite(state(1))
    assert not (tmp_path / "c").exists()


def test_what_cannot_be_stored_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    bad: list[tuple[int, Any, Any, int]] = [
        (-1, {}, {}, 3),
        (1, {}, {}, 0),
        (10**18, {}, {}, 3),
        (1, {"../x": {}}, {}, 3),
        (1, {"a": {"c": torch.ones(2, dtype=torch.complex128)}}, {}, 3),
        (1, {"a": {f"{'x' * 90}{i}": torch.empty(0) for i in range(20_000)}}, {}, 3),
        (1, {}, {"a": object()}, 3),
        (1, {}, {1: "a", "1": "b"}, 3),
        (1, {}, {"a": deep}, 3),
        (1, {}, {"a": "x" * (5 << 20)}, 3),
    ]
    for items, saved, meta, keep in bad:
        with pytest.raises(UsageError):
            checkpoint.save(tmp_path, items, saved, meta, keep)
        assert names_in(tmp_path) == []


def test_too_little_space_is_told_before_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, 1)
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(ResourceError, match="1,000 free"):
        put(tmp_path, 2)
    assert names_in(tmp_path) == ["000000001"]


def test_a_disk_that_returns_other_bytes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, 1)
    real = files.write_new
    monkeypatch.setattr(files, "write_new", lambda path, data: real(path, data[:-1] + b"?"))
    with pytest.raises(ResourceError, match="other bytes"):
        put(tmp_path, 2)
    assert names_in(tmp_path) == ["000000001"]


def test_no_folder_is_no_checkpoint_and_a_file_is_an_error(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "absent") is None
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ResourceError, match="cannot list"):
        checkpoint.load(tmp_path / "file")
    with pytest.raises(ResourceError, match="not saved"):
        put(tmp_path / "file", 1)
