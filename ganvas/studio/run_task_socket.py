"""The server's end of a page whose tasks need a run: it replaces the ids of runs and pictures by paths."""

from __future__ import annotations

from typing import Any

from ganvas.errors import GanvasError
from ganvas.studio.page import Studio
from ganvas.studio.page_tasks import TaskSocket
from ganvas.studio.picture_store import PictureStore
from ganvas.studio.socket import Channel, Frame
from ganvas.studio.storage import Storage

MOST_SENT = 900_000  # bytes of pictures in one frame; larger ones are sent, and come back, as files


class RunTaskSocket(TaskSocket):
    """Tasks of the page: ids come from it, paths never."""

    def __init__(self, channel: Channel, studio: Studio, module: str) -> None:
        super().__init__(channel, module)
        self.storage, self.device = Storage(studio.runs), studio.device
        self.store = studio.get_service(PictureStore)

    async def receive(self, frame: Frame) -> None:
        """Pass a task or a cancel on; a task that names what is not here has failed."""
        task_id = frame.facts.get("id")
        if frame.kind == "task" and type(task_id) is int:
            try:
                frame = self.resolve(frame)
            except GanvasError as wrong:
                self.channel.send_message("failed", {"id": task_id, "text": str(wrong)})
                return
        await super().receive(frame)

    def resolve(self, frame: Frame) -> Frame:
        """The task with `paths`: of the run, of the picture that it names, and of the one that is to be kept.

        Raises:
            UnknownIdError: no such run, or no such picture.
            ResourceError: the disk refused.
        """
        facts = {name: value for name, value in frame.facts.items() if name != "kept"}
        paths: dict[str, Any] = {"run": str(self.storage.find_model(str(facts.get("model")))), "device": self.device}
        if facts.get("picture"):
            paths["picture"] = str(self.store.find(str(facts["picture"])))
        if facts.get("keep"):
            facts["kept"], out = self.store.reserve()
            paths["out"] = str(out)
        return Frame(frame.kind, {**facts, "paths": paths}, frame.arrays)
