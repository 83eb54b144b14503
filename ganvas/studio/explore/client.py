"""The server's end of the model process: one request at a time, and in each lane only the latest request is answered."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from ganvas.errors import DataError, GanvasError, ResourceError, UsageError

ERRORS: dict[str, type[GanvasError]] = {kind.__name__: kind for kind in (UsageError, DataError, ResourceError)}
MAX_ANSWER_BYTES = 64 << 20
ANSWER_SECONDS = 120.0
MAX_LANES = 64  # that may wait
LOST = "the model process ended (out of memory, or killed); it starts again with the next picture"


class SupersededError(GanvasError):
    """A newer request in the same lane replaced it."""


Waiting = tuple[dict[str, Any], "asyncio.Future[tuple[dict[str, Any], bytes]]"]


class ModelClient:
    """Starts the model process when it is first needed, and again after it ended."""

    def __init__(self, module: str = "ganvas.studio.explore.explore_process", device: str = "auto") -> None:
        self.module, self.device = module, device
        self.process: asyncio.subprocess.Process | None = None
        self.waiting: OrderedDict[str, Waiting] = OrderedDict()
        self.wake = asyncio.Event()
        self.loop: asyncio.Task[None] | None = None

    async def ask(self, lane: str, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer of the model process: facts and bytes.

        Raises:
            SupersededError: a newer request of the lane came before this one was sent.
            GanvasError: what the process answers, or that it ended.
        """
        if self.loop is None:
            self.loop = asyncio.create_task(self._serve())
        future: asyncio.Future[tuple[dict[str, Any], bytes]] = asyncio.get_running_loop().create_future()
        if (older := self.waiting.pop(lane, None)) and not older[1].done():
            older[1].set_exception(SupersededError("a newer request replaced this one"))
        if len(self.waiting) >= MAX_LANES:
            raise ResourceError("too many images were requested at once; wait a moment")
        self.waiting[lane] = question, future
        self.wake.set()
        return await future

    async def _serve(self) -> None:
        while True:
            await self.wake.wait()
            if not self.waiting:
                self.wake.clear()
                continue
            _, (question, future) = self.waiting.popitem(last=False)
            if future.done():  # the caller is gone
                continue
            try:
                answer = await asyncio.wait_for(self._exchange(question), ANSWER_SECONDS)
                if not future.done():
                    future.set_result(answer)
            except GanvasError as wrong:
                if not future.done():
                    future.set_exception(wrong)
            except TimeoutError:
                await self._end()
                if not future.done():
                    future.set_exception(ResourceError(f"no picture came within {ANSWER_SECONDS:.0f} seconds"))

    async def _exchange(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """One request and its answer. Raises: ResourceError: the process ended; GanvasError: what it answers."""
        try:
            process = await self._start()
            if process.stdin is None or process.stdout is None:
                raise ResourceError(LOST)
            process.stdin.write(json.dumps(question).encode() + b"\n")
            await process.stdin.drain()
            facts = json.loads(await process.stdout.readuntil(b"\n"))
            size = int(facts.pop("size"))
            if size > MAX_ANSWER_BYTES:
                raise ResourceError("the film is too large; ask for fewer frames")
            data = await process.stdout.readexactly(size)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            await self._end()
            raise ResourceError(LOST) from None
        if "error" in facts:
            raise ERRORS.get(facts["kind"], GanvasError)(facts["error"])
        return facts, data

    async def _start(self) -> asyncio.subprocess.Process:
        if self.process is None or self.process.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self.module, self.device), stdin=pipe, stdout=pipe, limit=1 << 20, env=dict(os.environ)
            )
        return self.process

    async def _end(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def close(self) -> None:
        """End the process, and refuse the requests that wait."""
        if self.loop:
            self.loop.cancel()
            with suppress(asyncio.CancelledError):
                await self.loop
        for _, future in self.waiting.values():
            if not future.done():
                future.set_exception(ResourceError("the studio ends"))
        await self._end()
