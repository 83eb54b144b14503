"""A small reverse proxy, as a hub of notebooks has one: it cuts a path off and keeps the browser's Host, Origin and cookies."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from typing import Any


class ReverseProxy:
    """Answers at `port` of the loopback address: pages of its own, and what lies below `prefix` from the port `behind`."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.prefix, self.behind, self.port = "", 0, 0
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait(10)

    def run(self, ready: threading.Event) -> None:
        asyncio.run(self.serve(ready))

    async def serve(self, ready: threading.Event) -> None:
        self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self.ended.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join(10)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, or one WebSocket; the connection ends with it."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
            method, target, version = first.split(" ")
            upgrade = any(field.lower().startswith("upgrade:") for field in fields)
            if not target.startswith(self.prefix):
                text = self.pages.get(target)
                writer.write(respond(200 if text else 404, text or "not here"))
            else:
                fields = [field for field in fields if upgrade or not field.lower().startswith("connection:")]
                fields += [] if upgrade else ["Connection: close"]
                below = [f"{method} /{target.removeprefix(self.prefix)} {version}", *fields, "", ""]
                inner, outer = await asyncio.open_connection("127.0.0.1", self.behind)
                outer.write("\r\n".join(below).encode("latin-1"))
                ends = [asyncio.ensure_future(copy(reader, outer)), asyncio.ensure_future(copy(inner, writer))]
                try:
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for end in ends:
                        end.cancel()
                    await asyncio.gather(*ends, return_exceptions=True)
                    outer.close()
            await writer.drain()
        writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass all bytes on until there are no more."""
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


def respond(status: int, text: str, headers: Mapping[str, Any] | None = None) -> bytes:
    """An answer of HTML as bytes."""
    body = text.encode()
    fields = {"Content-Type": "text/html; charset=utf-8", "Content-Length": len(body), "Connection": "close", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + body
