"""The page /play: each open page has a play session in its own process."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from ganvas.errors import DataError, UsageError
from ganvas.studio.child_process import ChildProcess
from ganvas.studio.page import Page, Studio
from ganvas.studio.page_tasks import KINDS, TaskSocket
from ganvas.studio.play.play_lessons import LESSONS, list_captions
from ganvas.studio.play.play_points import read_points
from ganvas.studio.play.play_settings import describe_settings
from ganvas.studio.play.player import FIRST_SPEED, SPEEDS
from ganvas.studio.responses import make_endpoint
from ganvas.studio.socket import Channel, Frame, decode

MAX_CSV_BYTES = 2_000_000
MODULE = "ganvas.studio.play.play_process"
DIGITS = "ganvas.studio.play.digits_process"


class PlaySocket:
    """Passes commands to the session's process and pictures back. `begin` starts the process, also after it died.

    Tasks go to another process, which trains the same game on digits.
    """

    def __init__(self, channel: Channel, _: Studio) -> None:
        self.channel = channel
        self.child: ChildProcess | None = None
        self.digits = TaskSocket(channel, DIGITS)

    async def receive(self, frame: Frame) -> None:
        """Pass a command on."""
        if frame.kind in KINDS:
            await self.digits.receive(frame)
            return
        if frame.kind == "begin" and self.child is None:
            self.child = ChildProcess(MODULE, self.pass_back, self.report_end)
            await self.child.start()
        if self.child:
            await self.child.send(frame)

    def pass_back(self, data: bytes) -> None:
        """Pass a frame to the page. A newer picture may replace an older one; a message may not get lost."""
        frame = decode(data)
        if frame.kind == "frame":
            self.channel.send_latest(data)
        else:
            self.channel.send_message(frame.kind, frame.facts)

    def report_end(self, code: int) -> None:
        """Say that the session's process ended by itself."""
        self.child = None
        why = f"signal {-code}" if code < 0 else f"code {code}"
        text = f"The play session ended unexpectedly ({why}). Nothing else is affected."
        self.channel.send_message("ended", {"text": text})

    async def close(self) -> None:
        """End the processes with the page."""
        try:
            await self.digits.close()
        finally:
            if self.child:
                await self.child.stop()


def get_schema(_: Request) -> Any:
    """The settings with labels and bounds, the speeds, and the captions of slow motion."""

    return {**describe_settings(), "speeds": list(SPEEDS), "speed": FIRST_SPEED, "captions": list_captions()}


def get_lessons(_: Request) -> Any:
    """The guided tour and the lessons."""

    return [lesson.to_dict() for lesson in LESSONS.values()]


async def upload_points(request: Request) -> Any:
    """A CSV file of points as the body -> at most 2,000 of them, centred and scaled into the picture."""

    try:
        return await run_in_threadpool(read_points, await request.body())
    except DataError as wrong:
        raise UsageError(str(wrong)) from None


API = "/api/play"
PAGE: Page = Page(
    "play",
    "Play",
    "Watch noise become points, one move at a time.",
    routes=(
        Route(f"{API}/schema", make_endpoint(get_schema)),
        Route(f"{API}/lessons", make_endpoint(get_lessons)),
        Route(f"{API}/points", make_endpoint(upload_points, bytes), methods=["POST"]),
    ),
    open=PlaySocket,
    uploads={f"{API}/points": MAX_CSV_BYTES},
    group="Learn",
)
