"""A child process that computes for a page. Frames go in and out through pipes, so that a crash of one side spares the other.

On a pipe a frame is preceded by its length as a little-endian uint32. The child is `python -m MODULE`. Its main function
calls `open_pipes()` and ends when its input ends. It has one thread and a low priority, so that trainings and the server go
first.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from ganvas.errors import UsageError
from ganvas.runtime.processes import die_with_parent
from ganvas.studio.socket import MAX_FRAME_BYTES, Frame, decode, encode

NICENESS = 5
EXIT_SECONDS = 2.0  # a child that takes longer to end is killed


class ChildProcess:
    """The parent's end. `on_frame` gets each frame as bytes; `on_exit` gets the exit code once, if the child ends by itself."""

    def __init__(self, module: str, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]) -> None:
        self.module, self.on_frame, self.on_exit = module, on_frame, on_exit
        self.process: asyncio.subprocess.Process | None = None
        self.reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and read from it."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", self.module, stdin=pipe, stdout=pipe, env=environment, limit=2 * MAX_FRAME_BYTES
        )
        self.reader = asyncio.create_task(self.read_frames(self.process))

    async def read_frames(self, process: asyncio.subprocess.Process) -> None:
        """Pass on each frame until the child ends."""
        assert process.stdout  # noqa: S101
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack("<I", await process.stdout.readexactly(4))
                if length > MAX_FRAME_BYTES:
                    process.kill()
                    break
                self.on_frame(await process.stdout.readexactly(length))
        self.on_exit(await process.wait())

    async def send(self, frame: Frame) -> None:
        """Send a frame. Nothing happens if the child has ended."""
        if self.process and self.process.stdin and self.process.returncode is None:
            data = encode(frame)
            with suppress(ConnectionError):
                self.process.stdin.write(struct.pack("<I", len(data)) + data)
                await self.process.stdin.drain()

    async def stop(self) -> None:
        """Close the child's input so that it ends. Kill it if that takes too long."""
        if self.reader:
            self.reader.cancel()
            with suppress(asyncio.CancelledError):
                await self.reader
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), EXIT_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        finally:
            if process.returncode is None:  # this wait itself was cancelled, as when the server ends
                process.kill()


def open_pipes() -> tuple[Callable[[], Frame | None], Callable[[Frame], None]]:
    """The child's end: one function waits for the next frame (None at the end of input), the other sends a frame."""
    die_with_parent()
    with suppress(OSError):
        os.nice(NICENESS)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the frames
    source = os.fdopen(os.dup(0), "rb")

    def receive() -> Frame | None:
        head = read_exactly(source, 4)
        data = read_exactly(source, struct.unpack("<I", head)[0]) if head else None
        return decode(data) if data else None

    def send(frame: Frame) -> None:
        data = encode(frame)
        out.write(struct.pack("<I", len(data)) + data)
        out.flush()

    return receive, send


def read_exactly(source: BinaryIO, count: int) -> bytes | None:
    """`count` bytes, or None at the end of input.

    Raises:
        UsageError: more bytes than a frame may have.
    """
    if count > MAX_FRAME_BYTES:
        raise UsageError(f"frame: expected at most {MAX_FRAME_BYTES:,} bytes, got {count:,}")
    data = source.read(count)
    return data if len(data) == count else None
