"""One binary WebSocket a page: frames of a small header and raw arrays, of which the latest wins.

A frame is, in this order: the header's length as a little-endian uint32; the header, JSON in UTF-8, padded with spaces so
that 4 + length is a multiple of 8; then the arrays one after the other, each padded with zeros to a multiple of 8 bytes, so
that a browser can look at them where they lie. `header["kind"]` says what the frame is; `header["arrays"]` lists
`[name, dtype, shape]` with dtype one of `f4 f8 i4 u1`, little-endian, row after row. At most 1 MB in all.

Pictures are `show`n: while the page has not yet seen the last one, a newer one takes the waiting one's place, and nothing
queues up. What must not be lost is `tell`ed: a few such messages may wait; a page too slow for that is cut off.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from ganvas.errors import GanvasError, UsageError
from ganvas.studio.guard import Bucket

LARGEST = 1_000_000  # bytes of a frame
HEADER = 64 << 10  # bytes of its header
WAITING = 256  # messages told and not yet sent
MESSAGES, BURST = 240.0, 480.0  # from a page: a second, and at once
DTYPES = ("f4", "f8", "i4", "u1")

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Frame:
    """What travels: what kind of thing, small facts, arrays."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame.

    Raises:
        UsageError: it is larger than a frame may be, or holds an array of another type.
    """
    listed, body = [], bytearray()
    for name, array in frame.arrays.items():
        dtype = f"{array.dtype.kind}{array.dtype.itemsize}"
        if dtype not in DTYPES:
            raise UsageError(f"frame {frame.kind!r}: array {name!r} is {array.dtype}, expected one of {', '.join(DTYPES)}")
        listed.append([name, dtype, list(array.shape)])
        body += array.astype(f"<{dtype}", copy=False).tobytes()
        body += bytes(-len(body) % 8)
    header = json.dumps({**frame.facts, "kind": frame.kind, "arrays": listed}, allow_nan=False).encode()
    header += b" " * (-(4 + len(header)) % 8)
    if 4 + len(header) + len(body) > LARGEST or len(header) > HEADER:
        raise UsageError(f"frame {frame.kind!r}: {4 + len(header) + len(body)} bytes are more than a frame may have")
    return struct.pack("<I", len(header)) + header + body


def decode(data: bytes) -> Frame:
    """The frame that `data` spells. What it claims is checked before it is believed.

    Raises:
        UsageError: it is no frame.
    """
    try:
        (length,) = struct.unpack_from("<I", data)
        if len(data) > LARGEST or not 2 <= length <= min(HEADER, len(data) - 4):
            raise ValueError("its lengths do not fit")
        facts = json.loads(data[4 : 4 + length])
        kind, listed = facts.pop("kind"), facts.pop("arrays", [])
        if not isinstance(kind, str):
            raise ValueError("its kind is no name")
        arrays: dict[str, Array] = {}
        at = 4 + length
        for name, dtype, shape in listed:
            if dtype not in DTYPES or not all(type(n) is int and 0 <= n <= LARGEST for n in shape) or len(shape) > 4:
                raise ValueError("it describes an impossible array")
            count = 1
            for n in shape:
                count *= n
            if at + count * int(dtype[1]) > len(data):
                raise ValueError("it is shorter than it says")
            arrays[str(name)] = np.frombuffer(data, f"<{dtype}", count, at).reshape(shape)
            at += count * int(dtype[1])
            at += -(at - 4 - length) % 8
        return Frame(kind, facts, arrays)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise UsageError(f"not a frame: {wrong}") from None


class Session(Protocol):
    """What a page talks to while its socket is open."""

    async def hear(self, frame: Frame) -> None:
        """Answer a message of the page. A GanvasError becomes one line on the page."""

    async def close(self) -> None:
        """The page has gone."""


class Channel:
    """The server's end of a page's socket."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.told: deque[bytes] = deque()
        self.shown: dict[str, bytes] = {}  # kind -> the latest that waits
        self.free = True  # whether the page has seen the last picture
        self.wake = asyncio.Event()
        self.open = True

    def tell(self, kind: str, facts: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None) -> None:
        """Send a message that must arrive."""
        self.told.append(encode(Frame(kind, facts or {}, arrays or {})))
        if len(self.told) > WAITING:
            self.open = False
        self.wake.set()

    def show(self, frame: Frame | bytes) -> None:
        """Send a picture as soon as the page has seen the last one, unless a newer one of its kind comes first."""
        data = encode(frame) if isinstance(frame, Frame) else frame
        kind = frame.kind if isinstance(frame, Frame) else decode(data).kind
        self.shown.pop(kind, None)  # the newest goes to the end of the line
        self.shown[kind] = data
        self.wake.set()

    async def serve(self, session: Session) -> None:
        """Carry messages both ways until either side goes."""
        sending = asyncio.create_task(self.send())
        hearing = asyncio.create_task(self.hear(session))
        try:
            await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open = False
            for task in (sending, hearing):
                task.cancel()
                with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                    await task
            await session.close()

    async def send(self) -> None:
        """Send what waits: messages first, then the oldest kind of picture."""
        while self.open:
            await self.wake.wait()
            self.wake.clear()
            while self.told and self.open:
                await self.websocket.send_bytes(self.told.popleft())
            if self.free and self.shown and self.open:
                self.free = False
                await self.websocket.send_bytes(self.shown.pop(next(iter(self.shown))))
                if self.told:
                    self.wake.set()
        await self.websocket.close(1008)

    async def hear(self, session: Session) -> None:
        """Take messages in, no faster than a person makes them."""
        bucket = Bucket(MESSAGES, BURST)
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if not bucket.takes() or not message.get("bytes"):
                await self.websocket.close(1008)
                return
            try:
                frame = decode(message["bytes"])
                if frame.kind == "seen":
                    self.free = True
                    self.wake.set()
                else:
                    await session.hear(frame)
            except GanvasError as wrong:
                self.tell("error", {"text": str(wrong)})
