"""Frames travel whole; of pictures the latest wins; whoever floods or sends rubbish is cut off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.errors import UsageError
from ganvas.studio import socket as page_socket
from ganvas.studio.page import Page, Studio
from ganvas.studio.server import make_socket_endpoint
from ganvas.studio.socket import MAX_FRAME_BYTES, Channel, Frame, decode, encode


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run in a loop of its own thread: where a browser is driven, this one has a loop already."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(work)))
    thread.start()
    thread.join()
    return found[0]


class Socket:
    """A page's end: what was sent to it, and what it says."""

    def __init__(self, says: list[bytes | None] | None = None) -> None:
        self.sent: list[bytes] = []
        self.says = says or []
        self.closed: int | None = None
        self.patience = asyncio.Event()

    async def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if not self.says:
            await self.patience.wait()
            return {"type": "websocket.disconnect"}
        return {"type": "websocket.receive", "bytes": self.says.pop(0)}

    async def close(self, code: int = 1000) -> None:
        self.closed = code


class Nobody:
    """A session that only remembers."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closed = False

    async def receive(self, frame: Frame) -> None:
        self.heard.append(frame.kind)
        if frame.kind == "wrong":
            raise UsageError("that is wrong")

    async def close(self) -> None:
        self.closed = True


def test_a_frame_survives_the_journey_and_lies_where_a_browser_can_look_at_it() -> None:
    arrays = {"a": np.arange(3, dtype="f4"), "b": np.ones((2, 2), "i4"), "c": np.array([7], "u1"), "d": np.zeros((0, 2), "f8")}
    data = encode(Frame("kind", {"text": "ü", "n": 1.5}, arrays))
    back = decode(data)
    assert (back.kind, back.facts) == ("kind", {"text": "ü", "n": 1.5})
    assert all(
        np.array_equal(back.arrays[name], array) and back.arrays[name].shape == array.shape for name, array in arrays.items()
    )
    length = int.from_bytes(data[:4], "little")
    assert (4 + length) % 8 == 0
    assert len(data) == 4 + length + 16 + 16 + 8


@given(st.binary(max_size=200))
def test_rubbish_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(UsageError, match="not a frame"):
        decode(data)


@given(st.integers(0, 120), st.integers(0, 255))
def test_a_damaged_frame_is_refused_or_read_never_a_crash(place: int, value: int) -> None:
    data = bytearray(encode(Frame("k", {"x": 1}, {"a": np.zeros(8, "f4")})))
    data[place % len(data)] = value
    with suppress(UsageError):
        decode(bytes(data))


def test_what_a_frame_may_not_be() -> None:
    with pytest.raises(UsageError, match="more than a frame may have"):
        encode(Frame("k", {}, {"a": np.zeros(MAX_FRAME_BYTES // 4, "f4")}))
    with pytest.raises(UsageError, match="complex"):
        encode(Frame("k", {}, {"a": np.zeros(1, "c8")}))
    huge = encode(Frame("k")).replace(b'"arrays": []', b'"arrays": [["a", "f4", [1000000, 1000000]]]')
    with pytest.raises(UsageError, match="not a frame"):
        decode((len(huge) - 4).to_bytes(4, "little") + huge[4:])


def test_the_latest_picture_wins_and_every_message_arrives() -> None:
    async def play() -> Socket:
        socket = Socket()
        line = Channel(socket)  # type: ignore[arg-type]
        session = Nobody()
        serving = asyncio.create_task(line.serve(session))
        for n in range(50):
            line.send_latest(Frame("frame", {"n": n}))
            line.send_message("note", {"n": n})
            if n == 20:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        line.acknowledged = True  # the page acknowledges the first
        line.wake.set()
        await asyncio.sleep(0.01)
        socket.patience.set()
        await serving
        assert session.closed
        return socket

    frames = [decode(data) for data in run(play()).sent]
    assert [frame.facts["n"] for frame in frames if frame.kind == "note"] == list(range(50))
    assert [frame.facts["n"] for frame in frames if frame.kind == "frame"] == [20, 49]


def test_an_error_is_a_line_and_the_line_goes_on() -> None:
    async def play() -> tuple[Socket, Nobody]:
        socket = Socket([encode(Frame("wrong")), encode(Frame("right"))])
        session = Nobody()
        serving = asyncio.create_task(Channel(socket).serve(session))  # type: ignore[arg-type]
        await asyncio.sleep(0.02)
        socket.patience.set()
        await serving
        return socket, session

    socket, session = run(play())
    assert session.heard == ["wrong", "right"]
    assert decode(socket.sent[0]).facts == {"text": "that is wrong"}


@pytest.mark.parametrize("says", [[None], [encode(Frame("right"))] * 9])
def test_text_and_floods_are_cut_off(says: list[bytes | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_socket, "BURST", 5.0)
    monkeypatch.setattr(page_socket, "MESSAGES", 0.0)
    socket, session = Socket(list(says)), Nobody()
    run(Channel(socket).serve(session))  # type: ignore[arg-type]
    assert socket.closed == 1008
    assert len(session.heard) <= 5
    assert session.closed


def test_a_page_too_slow_for_messages_is_cut_off() -> None:
    line = Channel(Socket())  # type: ignore[arg-type]
    for _ in range(page_socket.MAX_WAITING + 1):
        line.send_message("note")
    assert not line.open


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_not_finite_is_refused_in_words(number: str) -> None:
    header = f'{{"kind": "set", "value": {number}, "arrays": []}}'.encode()
    header += b" " * (-(4 + len(header)) % 8)
    with pytest.raises(UsageError, match="not a finite number"):
        decode(len(header).to_bytes(4, "little") + header)


@pytest.mark.parametrize("wrong", [ValueError("no"), OSError("no"), RuntimeError("no")])
def test_a_session_is_closed_whatever_its_handler_throws(wrong: Exception) -> None:
    class Faulty(Nobody):
        async def receive(self, frame: Frame) -> None:
            raise wrong

    session = Faulty()
    run(Channel(Socket([encode(Frame("any"))])).serve(session))  # type: ignore[arg-type]
    assert session.closed


def test_a_session_is_closed_when_the_server_gives_up_on_the_socket() -> None:
    async def play() -> Nobody:
        session = Nobody()
        serving = asyncio.create_task(Channel(Socket()).serve(session))  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        return session

    assert run(play()).closed


def test_a_page_that_is_slow_to_close_ends_with_the_server_and_prints_no_error(tmp_path: Path) -> None:
    class Slow(Nobody):
        async def close(self) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                self.closed = True

    class Accepting(Socket):
        async def accept(self) -> None:
            """As a server does first."""

    handler = Slow()

    async def work() -> str:
        page = Page("slow", "Slow", "", open=lambda channel, studio: handler)
        answer = make_socket_endpoint(page, Studio(tmp_path))
        task = asyncio.create_task(answer(Accepting([None])))  # type: ignore[arg-type]
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()  # as the server does after its time
        return repr((await asyncio.gather(task, return_exceptions=True))[0])

    assert run(work()) == "None"
    assert handler.closed
