"""Start the processes of the other ranks on this machine, and watch them."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ganvas.errors import ResourceError, UsageError
from ganvas.runtime.distributed import Ranks, connect, disconnect
from ganvas.runtime.exits import STOPS
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import keep_process_settings
from ganvas.utils.parsing import quote


@contextmanager
def local_ranks(folder: Path, plan: Plan, peers: Ranks, *, timed: bool = False) -> Iterator[Ranks]:
    """Join all ranks of the run in `folder`; start the ranks that are missing.

    `timed` ranks only run steps for a speed test (`ganvas.training.worker`). At the end, also after an error, the process
    group is closed, and this process has its cores and threads back.

    Raises:
        UsageError: torchrun started another number of ranks than the run has.
    """
    if peers.size not in (1, plan.ranks):
        raise UsageError(f"{folder} was started with {plan.ranks} ranks, found {peers.size}; use the same number")
    with keep_process_settings():
        try:
            if peers.size == plan.ranks:
                yield peers.use_plan(plan)
            else:
                with _launch_ranks(folder, plan.ranks, timed):
                    yield connect().use_plan(plan)
        finally:
            disconnect()


@contextmanager
def _launch_ranks(folder: Path, size: int, timed: bool) -> Iterator[None]:
    """Ranks 1 .. size-1 as new processes, while this process is rank 0."""
    before, over = dict(os.environ), threading.Event()
    others = launch(folder, size, timed)
    advice = "choose --ranks 1" if timed else f"continue with: ganvas resume {quote(folder)}"
    threading.Thread(target=_watch, args=(others, over, advice), daemon=True).start()
    try:
        yield
    except BaseException:
        over.set()
        for other in others:  # they would wait for rank 0 until this process ends, and it may be a long Python session
            other.kill()
        raise
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _watch(others: Sequence[subprocess.Popen[bytes]], over: threading.Event, advice: str) -> None:
    """End this process if a rank that it started dies: the others would wait for it without end."""
    for rank, other in enumerate(others, 1):
        if (code := other.wait()) != 0 and not over.is_set():
            print(f"ganvas: rank {rank} died (exit code {code}); {advice}", file=sys.stderr, flush=True)
            os._exit(ResourceError.exit_code)


def launch(folder: Path, size: int, timed: bool = False) -> list[subprocess.Popen[bytes]]:
    """Start ranks 1 .. size-1 of the run in `folder` on this machine, and make this process rank 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    command = [sys.executable, "-m", "ganvas.training.worker", str(folder), *(["--timed"] if timed else [])]
    with _block_signals():  # the mask is inherited: Ctrl-C does not end a rank that is still importing
        others = [
            subprocess.Popen(
                command,
                env={**os.environ, **shared, "OMP_NUM_THREADS": "1", "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdin=subprocess.DEVNULL,
            )
            for rank in range(1, size)
        ]
    os.environ.update({**shared, "RANK": "0", "LOCAL_RANK": "0"})
    return others


@contextmanager
def _block_signals() -> Iterator[None]:
    """Block `STOPS` for this thread and the processes it starts, if the system has signal masks (not Windows)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent() -> None:
    """Make the system kill this process when its parent dies, for whatever reason (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 = PR_SET_PDEATHSIG
