"""Connections that send no request: they are closed in time, so that they lock nobody out.

A web page anywhere, or a faulty program, can open connections to this machine and stay silent, or send a header one byte at
a time. Each counts for the server's limit. So a connection has `HEADER_SECONDS` for the header of a request, and of those
that wait for one at most `MAX_SILENT` are kept: a new one closes the oldest.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0  # from the connection, or from the first byte of a later request
MAX_SILENT = 96  # connections that have sent no whole header yet


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose connections may not stay silent."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.await_header()
        silent = [other for other in self.connections if isinstance(other, PatientProtocol) and other.header_timer]
        if len(silent) > MAX_SILENT:
            min(silent, key=lambda other: other.header_timer.when() if other.header_timer else 0.0).close_silent()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.await_header()  # part of a header; a timer that runs is not set back
        else:
            self.stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_timer()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self.stop_timer()
        super().handle_websocket_upgrade(event)

    def await_header(self) -> None:
        """Close the connection unless the header of a request is whole in time."""
        if self.header_timer is None:
            self.header_timer = self.loop.call_later(HEADER_SECONDS, self.close_silent)

    def stop_timer(self) -> None:
        """The header is whole, or the connection is gone."""
        if self.header_timer:
            self.header_timer.cancel()
            self.header_timer = None

    def close_silent(self) -> None:
        """Close the connection at once; nothing was asked."""
        self.stop_timer()
        self.connections.discard(self)  # at once, since the server counts these
        self.transport.close()
