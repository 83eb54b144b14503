"""What the page /train keeps for as long as the server lives: its trainings, uploads and analyses."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool

from ganvas.errors import GanvasError, UsageError
from ganvas.studio.page import Studio
from ganvas.studio.storage import Storage
from ganvas.studio.train import choices
from ganvas.studio.train.analyses import Analyses
from ganvas.studio.train.jobs import Jobs
from ganvas.studio.train.train_requests import StartRequest
from ganvas.studio.train.uploads import Uploads

QUEUE_SECONDS = 2.0  # between two looks at the queue


class TrainService:
    """What the page needs for as long as the server lives. Trainings outlive the server; uploads and analyses do not."""

    def __init__(self, studio: Studio) -> None:
        self.storage = Storage(studio.runs)
        self.jobs, self.uploads, self.analyses = Jobs(self.storage), Uploads(self.storage), Analyses(self.storage)
        self.watcher: asyncio.Task[None] | None = None
        with suppress(RuntimeError):  # without an event loop, as in a test, nobody watches the queue
            self.watcher = asyncio.get_running_loop().create_task(self.watch_queue())

    async def watch_queue(self) -> None:
        """Start the trainings that wait, also while no page is open."""
        while True:
            with suppress(GanvasError):  # such as a full disk; the next try may succeed
                await run_in_threadpool(self.jobs.start_waiting)
            await asyncio.sleep(QUEUE_SECONDS)

    async def close(self) -> None:
        """End what does not outlive the server."""
        if self.watcher:
            self.watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self.watcher
        await self.uploads.close()
        await self.analyses.close()

    def find_source(self, name: str) -> str | None:
        """The path or name behind what a page calls data. Raises: UsageError, UnknownIdError: it cannot be used."""
        if not name:
            return None
        kind, _, upload = name.partition(":")
        if kind == "upload":
            return str(self.uploads.find_data(upload))
        if name not in self.analyses.sources:
            raise UsageError(f"data: expected one of {', '.join(self.analyses.sources)}, or upload:ID")
        return name

    def read_report(self, data: str) -> dict[str, Any]:
        """The report on an upload, as a page names it; {} for other data, or while it is read. Raises: UnknownIdError."""
        kind, _, upload = data.partition(":")
        report: dict[str, Any] = self.uploads.describe(upload).get("report", {}) if kind == "upload" else {}
        return report

    def start(self, asked: StartRequest) -> str:
        """Start a training; returns the id of its run. Raises: UsageError, ResourceError: as `Jobs.start`."""
        choices.require_no_field(asked.settings)
        kind = choices.find_device_kind(asked.device)
        report = {} if asked.from_run else self.read_report(asked.data)  # else the model decides what its pictures suggest
        settings = choices.complete_settings(
            asked.settings,
            keep_all=asked.keep_all,
            measure=asked.measure,
            images=asked.images,
            recipe=asked.recipe,
            report=report,
            minutes=asked.minutes,
            device=kind,
        )
        return self.jobs.start(
            asked.recipe,
            settings=settings,
            data=self.find_source(asked.data),
            from_run=asked.from_run,
            images=asked.images,
            minutes=choices.choose_minutes(asked.recipe, report, asked.minutes, asked.images, kind),
            seed=asked.seed,
            device=asked.device,
        )
