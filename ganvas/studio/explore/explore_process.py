"""A process that keeps trained models in memory and generates pictures; the studio starts it with the name of a device.

Its input are requests, each a line of JSON. Its output are answers, each a line of JSON with `size`, and so many bytes after
it. It ends when its input ends.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from ganvas.errors import GanvasError, UsageError, unknown_name
from ganvas.runtime.device import available_cores
from ganvas.runtime.processes import die_with_parent
from ganvas.studio.explore.explorer import Explorer, png_bytes
from ganvas.studio.explore.view import View
from ganvas.studio.model_cache import ModelCache
from ganvas.utils.parsing import printable
from ganvas.utils.settings import from_dict

Answer = tuple[dict[str, Any], bytes]


class ModelServer:
    """Answers requests about models. Each is loaded once, and again when its file has changed."""

    def __init__(self, device: str = "auto") -> None:
        self.models = ModelCache(lambda path: Explorer(path, device))

    def answer(self, request: dict[str, Any]) -> Answer:
        """What `request["do"]` asks for.

        Raises:
            UsageError, DataError: as the explorer does.
        """
        tasks = {"abilities": self.abilities, "picture": self.picture, "pad": self.pad, "nearest": self.nearest}
        tasks |= {"save": self.save, "walk": self.walk, "atlas": self.atlas, "ends": self.ends}
        if request["do"] not in tasks:
            raise unknown_name("task", str(request["do"]), tasks)
        return tasks[request["do"]](self.models.find(request["path"]), request)

    def abilities(self, model: Explorer, _: dict[str, Any]) -> Answer:
        """What the model is and can do."""
        return model.abilities(), b""

    def picture(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """One picture, quickly; of a text model also its lines."""
        look = parse_look(request["look"])
        return {"lines": model.lines(look), "note": model.note(look)}, png_bytes(model.picture(look))

    def pad(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """A sheet of seeds."""
        return {}, png_bytes(model.pad(parse_look(request["look"]), request["count"], request["columns"]))

    def atlas(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """The plane of a look, seen from far."""
        return {}, png_bytes(model.atlas(parse_look(request["look"]), request["side"]))

    def ends(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """Where each direction of the model leads."""
        names = model.list_directions()
        return {"names": names}, png_bytes(model.ends(parse_look(request["look"]), names, request["amount"]))

    def nearest(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """One picture beside its nearest training pictures."""
        image, distances = model.nearest(parse_look(request["look"]))
        return {"distances": [round(distance, 2) for distance in distances]}, png_bytes(image)

    def save(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """One picture as `ganvas sample` makes it, with its origin in the file."""
        with tempfile.TemporaryDirectory() as folder:
            look = parse_look(request["look"])
            return {"name": model.name_file(look)}, model.save(Path(folder) / "look.png", look, request["scale"]).read_bytes()

    def walk(self, model: Explorer, request: dict[str, Any]) -> Answer:
        """A film through several looks."""
        looks = [parse_look(each) for each in request["looks"]]
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / f"walk.{request['kind']}"
            return {}, model.walk(out, looks, request["frames"], request["milliseconds"], request["closed"]).read_bytes()


def parse_look(values: dict[str, Any]) -> View:
    """A look from its JSON. Raises: UsageError: it is not one."""
    return from_dict(View, values)


def main() -> None:
    """Answer until the input ends."""
    die_with_parent()
    torch.set_num_threads(max(1, len(available_cores()) // 2))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    server = ModelServer(*sys.argv[1:2])
    for line in sys.stdin.buffer:
        try:
            facts, data = server.answer(json.loads(line))
        except GanvasError as wrong:
            facts, data = {"error": " ".join(str(wrong).split()), "kind": type(wrong).__name__}, b""
        except (OSError, MemoryError, RuntimeError) as wrong:
            facts, data = {"error": f"the picture could not be made: {printable(wrong, 200)}", "kind": UsageError.__name__}, b""
        with suppress(BrokenPipeError):
            out.write(json.dumps({**facts, "size": len(data)}).encode() + b"\n" + data)
            out.flush()


if __name__ == "__main__":
    main()
