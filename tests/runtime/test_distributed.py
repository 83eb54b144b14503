"""Several ranks: what they exchange, and that with BatchNorm they equal one process."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from support import PLAN, miniature, python, state_hash

from ganvas.engine.autotune import has_batch_norm, initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import dump
from ganvas.errors import ResourceError, UsageError
from ganvas.games import RECIPES
from ganvas.runtime.distributed import Ranks, connect
from ganvas.runtime.plan import Plan


def test_two_ranks_with_batch_norm_equal_one(tmp_path: Path) -> None:
    """Equal bits on both ranks, and those of one process with the whole batch up to rounding."""
    script = Path(__file__).parents[1] / "two_synchronized_ranks.py"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    meet |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    command = [sys.executable, script, tmp_path]
    both = [subprocess.Popen(command, env={**os.environ, **meet, "RANK": rank}) for rank in "01"]
    assert [process.wait(timeout=200) for process in both] == [0, 0]
    names = sorted(path.name.removesuffix(".0.pt") for path in tmp_path.glob("*.0.pt"))
    assert set(names) >= {"cgan-mnist", "dcgan-mnist", "voxel-shapes", "vae-fashion"} & set(RECIPES)
    for name in names:
        first, second = (torch.load(tmp_path / f"{name}.{rank}.pt", weights_only=True) for rank in (0, 1))
        assert state_hash(first) == state_hash(second), name
        recipe, data = miniature(name)
        alone = initial_state(recipe, PLAN)
        for _ in itertools.islice(train(alone, data, recipe.train), 5):
            pass
        expected = dump(alone)[0]["game"]
        apart = [~first["game"][key].isclose(value, rtol=1e-3, atol=2e-4).flatten() for key, value in expected.items()]
        assert torch.cat(apart).float().mean() < 0.02, name


def test_games_without_batch_norm_need_no_statistics() -> None:
    assert {name for name in RECIPES if has_batch_norm(RECIPES[name])} >= {"cgan-mnist", "dcgan-mnist", "voxel-shapes"}
    assert not has_batch_norm(RECIPES["gan-ring"])


@pytest.mark.parametrize(("device", "nccl"), [("cuda", True), ("cuda:1", False), ("cpu", False)])
def test_gpus_meet_directly_only_if_each_rank_has_its_own(device: str, nccl: bool) -> None:
    """NCCL refuses two ranks on one GPU, and tensors of a CPU."""
    assert Ranks(0, 2, nccl=True).use_plan(Plan(device=device)).nccl is nccl
    assert not Ranks(0, 2).use_plan(Plan(device="cuda")).nccl


def test_ranks_without_a_gpu_each_meet_in_main_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tensor of the meta device stands for one of a GPU: it may only be summed once it lies in main memory."""
    summed: list[torch.Tensor] = []
    monkeypatch.setattr(dist, "all_reduce", summed.append)
    monkeypatch.setattr(torch.Tensor, "cpu", lambda x: torch.ones(x.shape))
    weight = torch.empty(3, device="meta")
    Ranks(0, 2).mean_([weight])
    assert [part.device.type for part in summed] == ["cpu"]
    Ranks(0, 2, nccl=True).mean_([weight])
    assert [part.device.type for part in summed] == ["cpu", "meta"]


def test_a_vote_asks_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    summed: list[torch.Tensor] = []
    monkeypatch.setattr(dist, "all_reduce", summed.append)
    assert Ranks(0, 2, nccl=True).any(True)
    assert summed[0].device.type == "cpu"


@pytest.mark.parametrize(("gpus", "expected"), [(2, "cpu:gloo,cuda:nccl"), (1, "gloo"), (0, "gloo")])
def test_cpu_tensors_never_meet_over_nccl(gpus: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--device cpu --ranks 2` on a machine with GPUs: the backend is that of the tensors, not of what the machine has."""
    begun: dict[str, Any] = {}
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    monkeypatch.setattr(dist, "is_nccl_available", lambda: True)
    monkeypatch.setattr("ganvas.runtime.distributed.rendezvous", lambda *_, **__: iter([(None, 0, 2)]))
    monkeypatch.setattr(dist, "init_process_group", lambda backend, **more: begun.update(backend=backend, **more))
    monkeypatch.setattr(dist, "get_rank", lambda: 0)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    from ganvas.runtime.distributed import connect

    assert connect().nccl == (gpus == 2)
    assert begun["backend"] == expected
    assert begun["timeout"].total_seconds() > 86_400  # rank 0 may measure and save alone for longer than ten minutes


@pytest.mark.slow
def test_two_ranks_without_memory_to_share(tmp_path: Path) -> None:
    """They meet over gloo instead, and end with the same weights."""
    program = """
import os, sys
from pathlib import Path
from ganvas.runtime import shared_memory
if "{}" == "none":
    shared_memory.Exchange._file = staticmethod(lambda what, size: None)
from ganvas.games.recipes import resolve_recipe
from ganvas.training.start import start_run
from ganvas.training.api import resume
run = start_run(resolve_recipe("gan-line", {{"train.batch": "64"}}, images=320), out=Path("{}"), ranks="2")
resume(run.folder)
"""
    for name in ("none", "some"):
        done = python(program.format(name, name), tmp_path)
        assert done.returncode == 0, done.stderr
    hashes = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("none", "some")]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("number", ["abc", "-1", "2.0", "٣"])
def test_a_world_size_that_is_no_number_is_named(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", number)
    with pytest.raises(UsageError, match="WORLD_SIZE: expected a number, found"):
        connect()


def test_a_world_size_without_torchrun_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Job schedulers set it too."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match=r"WORLD_SIZE=2 asks for several processes: .* start with torchrun"):
        connect()


def test_ranks_that_cannot_be_reached_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meet = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in meet.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ResourceError, match="the other 1 ranks cannot be reached"):
        connect(minutes=0.5 / 60)
