"""The page /play: each open page has a play session in a process of its own."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ganvas.errors import GanvasError
from ganvas.studio.channel import Channel, Frame, decode
from ganvas.studio.child import Child
from ganvas.studio.pages import Page, Studio

CSV = 2_000_000  # bytes of a dropped file
MODULE = "ganvas.studio.play.booth"


class Play:
    """Carries commands to the session's process and pictures back. A process that died is started again by `begin`."""

    def __init__(self, channel: Channel, _: Studio) -> None:
        self.channel = channel
        self.child: Child | None = None

    async def hear(self, frame: Frame) -> None:
        if frame.kind == "begin" and self.child is None:
            self.child = Child(MODULE, self.heard, self.ended)
            await self.child.start()
        if self.child:
            await self.child.send(frame)

    def heard(self, data: bytes) -> None:
        """Pictures may be overtaken by newer ones; words may not."""
        frame = decode(data)
        if frame.kind == "frame":
            self.channel.show(data)
        else:
            self.channel.tell(frame.kind, frame.facts)

    def ended(self, code: int) -> None:
        """The session's process has gone by itself."""
        self.child = None
        why = f"signal {-code}" if code < 0 else f"code {code}"
        self.channel.tell("ended", {"text": f"The play session ended unexpectedly ({why}). Nothing else is affected."})

    async def close(self) -> None:
        if self.child:
            await self.child.stop()


async def lessons(_: Request) -> Response:
    """The guided tour and the lessons."""
    from ganvas.studio.play.lessons import LESSONS

    told = await run_in_threadpool(lambda: [lesson.to_dict() for lesson in LESSONS.values()])
    return JSONResponse(told)


async def points(request: Request) -> Response:
    """A CSV file of points as the body -> at most 2,000 of them, centred and scaled into the picture."""
    body = await request.body()
    try:
        return JSONResponse(await run_in_threadpool(read_points, body))
    except GanvasError as wrong:
        return JSONResponse({"error": str(wrong)}, 400)


def read_points(body: bytes) -> dict[str, object]:
    """Points of two columns, their middle at 0 and the farthest coordinate at 1."""
    import torch

    from ganvas.data.arrays import read_csv
    from ganvas.errors import DataError
    from ganvas.studio.play.setup import MOST_POINTS

    with tempfile.TemporaryDirectory(prefix="ganvas-") as folder:
        path = Path(folder) / "points.csv"  # never a name that the page gave
        path.write_bytes(body)
        try:
            found = read_csv(path)
        except DataError as wrong:  # whose path says nothing to who sent it
            raise DataError(re.sub(rf"^{re.escape(str(path))}[,:] ", "", str(wrong))) from None
    if found.shape[1] != 2:
        raise DataError(f"expected two columns, x and y; found {found.shape[1]}")
    count = len(found)
    if count > MOST_POINTS:
        found = found[torch.randperm(count, generator=torch.Generator().manual_seed(0))[:MOST_POINTS]]
    low, high = found.amin(0), found.amax(0)
    found = (found - (low + high) / 2) / ((high - low).max() / 2).clamp_min(1e-12)
    return {"points": [[round(float(x), 3), round(float(y), 3)] for x, y in found], "rows": count}


PAGE = Page(
    "play",
    "Play",
    "Noise becomes points, move by move: the lectures' pictures, alive.",
    routes=(Route("/api/play/lessons", lessons), Route("/api/play/points", points, methods=["POST"])),
    open=Play,
    uploads={"/api/play/points": CSV},
)
