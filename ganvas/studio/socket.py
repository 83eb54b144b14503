"""One binary WebSocket for each page: frames of a small header and raw arrays. Of pictures only the latest is sent.

A frame is, in this order: the header's length as a little-endian uint32; the header, JSON in UTF-8, padded with spaces so
that 4 + length is a multiple of 8; then the arrays, each padded with zeros to a multiple of 8 bytes, so that a browser can
use them in place. `header["kind"]` says what the frame is; `header["arrays"]` lists `[name, dtype, shape]` with dtype one of
`f4 f8 i4 u1`, little-endian, row by row. A frame has at most 1 MB.

`send_latest` is for pictures: until the page has acknowledged the last one ("ack"), a newer picture replaces the one that
waits, so nothing queues up. `send_message` is for what must not be lost: some messages may wait; a page that is too slow for
that is disconnected.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from ganvas.errors import GanvasError, UsageError
from ganvas.studio.auth import TokenBucket

MAX_FRAME_BYTES = 1_000_000
MAX_HEADER_BYTES = 64 << 10
MAX_WAITING = 256  # messages that are not sent yet
MESSAGES, BURST = 240.0, 480.0  # from a page: in a second, and at once
DTYPES = ("f4", "f8", "i4", "u1")

LOG = logging.getLogger("uvicorn.error")

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Frame:
    """One message: its kind, small facts, arrays."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame.

    Raises:
        UsageError: it is too large, or holds an array of another type.
    """
    entries, body = [], bytearray()
    for name, array in frame.arrays.items():
        dtype = f"{array.dtype.kind}{array.dtype.itemsize}"
        if dtype not in DTYPES:
            raise UsageError(f"frame {frame.kind!r}: array {name!r} is {array.dtype}, expected one of {', '.join(DTYPES)}")
        entries.append([name, dtype, list(array.shape)])
        body += array.astype(f"<{dtype}", copy=False).tobytes()
        body += bytes(-len(body) % 8)
    header = json.dumps({**frame.facts, "kind": frame.kind, "arrays": entries}, allow_nan=False).encode()
    header += b" " * (-(4 + len(header)) % 8)
    size = 4 + len(header) + len(body)
    if size > MAX_FRAME_BYTES or len(header) > MAX_HEADER_BYTES:
        raise UsageError(f"frame {frame.kind!r}: {size:,} bytes are more than a frame may have ({MAX_FRAME_BYTES:,})")
    return struct.pack("<I", len(header)) + header + body


def decode(data: bytes) -> Frame:
    """The frame in `data`. Every size in it is checked before it is used.

    Raises:
        UsageError: it is not a frame.
    """
    try:
        (length,) = struct.unpack_from("<I", data)
        if len(data) > MAX_FRAME_BYTES or not 2 <= length <= min(MAX_HEADER_BYTES, len(data) - 4):
            raise ValueError("its lengths do not fit")
        facts = json.loads(data[4 : 4 + length], parse_constant=refuse_number, parse_float=read_number)
        kind, entries = facts.pop("kind"), facts.pop("arrays", [])
        if not isinstance(kind, str):
            raise ValueError("its kind is not a name")
        arrays: dict[str, Array] = {}
        start = 4 + length
        for name, dtype, shape in entries:
            if dtype not in DTYPES or not all(type(n) is int and 0 <= n <= MAX_FRAME_BYTES for n in shape) or len(shape) > 4:
                raise ValueError("it describes an impossible array")
            count = 1
            for n in shape:
                count *= n
            if start + count * int(dtype[1]) > len(data):
                raise ValueError("it is shorter than its header says")
            arrays[str(name)] = np.frombuffer(data, f"<{dtype}", count, start).reshape(shape)
            start += count * int(dtype[1])
            start += -(start - 4 - length) % 8
        return Frame(kind, facts, arrays)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise UsageError(f"not a frame: {wrong}") from None


def refuse_number(text: str) -> float:
    """NaN and Infinity are no JSON. Raises: ValueError: always."""
    raise ValueError(f"{text} is not a finite number")


def read_number(text: str) -> float:
    """A finite number. Raises: ValueError: it is too large for one, as 1e999 is."""
    value = float(text)
    return value if math.isfinite(value) else refuse_number(text)


class SocketHandler(Protocol):
    """What answers a page while its socket is open."""

    async def receive(self, frame: Frame) -> None:
        """Answer a message of the page. A GanvasError becomes one line on the page."""

    async def close(self) -> None:
        """The page is gone."""


class Channel:
    """The server's end of a page's socket."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.messages: deque[bytes] = deque()
        self.pictures: dict[str, bytes] = {}  # kind -> the latest that waits
        self.acknowledged = True  # whether the page has handled the last picture
        self.wake = asyncio.Event()
        self.open = True

    def send_message(
        self, kind: str, facts: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None
    ) -> None:
        """Send a message that must arrive."""
        self.messages.append(encode(Frame(kind, facts or {}, arrays or {})))
        if len(self.messages) > MAX_WAITING:
            self.open = False
        self.wake.set()

    def send_latest(self, frame: Frame | bytes) -> None:
        """Send a picture once the page has handled the last one, unless a newer one of its kind comes first."""
        data = encode(frame) if isinstance(frame, Frame) else frame
        kind = frame.kind if isinstance(frame, Frame) else decode(data).kind
        self.pictures.pop(kind, None)  # so that the newest goes to the end of the queue
        self.pictures[kind] = data
        self.wake.set()

    async def serve(self, handler: SocketHandler) -> None:
        """Carry messages both ways until one side ends."""
        sending = asyncio.create_task(self.send_frames())
        receiving = asyncio.create_task(self.receive_frames(handler))
        try:
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open = False
            for task in (sending, receiving):
                task.cancel()
            try:
                for end in await asyncio.gather(sending, receiving, return_exceptions=True):
                    if isinstance(end, Exception) and not isinstance(end, (WebSocketDisconnect, RuntimeError)):
                        LOG.error("a socket ended by an error", exc_info=end)
            finally:
                await handler.close()  # whatever happened: the handler may own a process

    async def send_frames(self) -> None:
        """Send what waits: messages first, then the kind of picture that waits longest."""
        while self.open:
            await self.wake.wait()
            self.wake.clear()
            while self.messages and self.open:
                await self.websocket.send_bytes(self.messages.popleft())
            if self.acknowledged and self.pictures and self.open:
                self.acknowledged = False
                await self.websocket.send_bytes(self.pictures.pop(next(iter(self.pictures))))
                if self.messages:
                    self.wake.set()
        await self.websocket.close(1008)

    async def receive_frames(self, handler: SocketHandler) -> None:
        """Take messages in, no faster than a person makes them."""
        bucket = TokenBucket(MESSAGES, BURST)
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if not bucket.allow() or not message.get("bytes"):
                await self.websocket.close(1008)
                return
            try:
                frame = decode(message["bytes"])
                if frame.kind == "ack":
                    self.acknowledged = True
                    self.wake.set()
                else:
                    await handler.receive(frame)
            except GanvasError as wrong:
                self.send_message("error", {"text": str(wrong)})
