"""A child process that computes for a page: frames go in and out by pipes, so that neither side's crash is the other's.

On a pipe a frame is preceded by its length as a little-endian uint32. The child is `python -m MODULE`; its main function
calls `pipes()` and ends when its input ends. It has one thread and is nice, so that the server and other trainings go first.
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
from ganvas.ranks import die_with_parent
from ganvas.studio.channel import LARGEST, Frame, decode, encode

NICE = 5
PATIENCE = 2.0  # seconds a child has to end by itself


class Child:
    """The parent's end. `heard` is called with each frame as bytes, `ended` once with the exit code when it ends by itself."""

    def __init__(self, module: str, heard: Callable[[bytes], None], ended: Callable[[int], None]) -> None:
        self.module, self.heard, self.ended = module, heard, ended
        self.process: asyncio.subprocess.Process | None = None
        self.listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and listen to it."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", self.module, stdin=pipe, stdout=pipe, env=environment, limit=2 * LARGEST
        )
        self.listening = asyncio.create_task(self.listen(self.process))

    async def listen(self, process: asyncio.subprocess.Process) -> None:
        """Hand on what the child says until it ends."""
        assert process.stdout  # noqa: S101
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack("<I", await process.stdout.readexactly(4))
                if length > LARGEST:
                    process.kill()
                    break
                self.heard(await process.stdout.readexactly(length))
        self.ended(await process.wait())

    async def send(self, frame: Frame) -> None:
        """Send it a frame; nothing happens where it has ended."""
        if self.process and self.process.stdin and self.process.returncode is None:
            data = encode(frame)
            with suppress(ConnectionError):
                self.process.stdin.write(struct.pack("<I", len(data)) + data)
                await self.process.stdin.drain()

    async def stop(self) -> None:
        """Have it end: by itself, or killed when it takes too long."""
        if self.listening:
            self.listening.cancel()
            with suppress(asyncio.CancelledError):
                await self.listening
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()


def pipes() -> tuple[Callable[[], Frame | None], Callable[[Frame], None]]:
    """The child's end: a function that waits for the next frame, None at the end, and one that sends one."""
    die_with_parent()
    with suppress(OSError):
        os.nice(NICE)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the frames
    source = os.fdopen(os.dup(0), "rb")

    def hear() -> Frame | None:
        head = exactly(source, 4)
        data = exactly(source, struct.unpack("<I", head)[0]) if head else None
        return decode(data) if data else None

    def say(frame: Frame) -> None:
        data = encode(frame)
        out.write(struct.pack("<I", len(data)) + data)
        out.flush()

    return hear, say


def exactly(source: BinaryIO, count: int) -> bytes | None:
    """`count` bytes, or None at the end.

    Raises:
        UsageError: more than a frame may have.
    """
    if count > LARGEST:
        raise UsageError(f"a frame of {count} bytes is more than a frame may have")
    data = source.read(count)
    return data if len(data) == count else None
