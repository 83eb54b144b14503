"""The run folder: everything that belongs to one training.

recipe.json        what is trained, on which data, with which settings
env.json           how: the plan, the machine, the versions
log.jsonl          loss terms and notes (`training/log.py`)
samples/           snapshots: samples of the same noise during training
checkpoints/       complete states to resume from (`engine/checkpoint.py`)
model.safetensors  the bundle (`inference/model_file.py`)
result.json        only of a finished run
"""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ganvas import __version__
from ganvas.config import Recipe
from ganvas.core.capabilities import TakesInputs, Watched, Writes
from ganvas.data.dataset import Dataset
from ganvas.data.open import absolute_source
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import choose_plan
from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.games import GAMES
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe
from ganvas.runtime.device import describe_runtime, find_device
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import GPU_SETTINGS
from ganvas.utils.files import disk_errors, read_regular, try_lock, write_durably
from ganvas.utils.parsing import parse_json
from ganvas.utils.settings import convert, flatten, from_dict, to_dict

FORMAT = 1  # of a run folder, in env.json; raised where an older version would read a new folder wrongly


@dataclass
class Run:
    """One run folder, made by `start` or opened by `open_run`."""

    folder: Path
    recipe: Recipe
    plan: Plan
    minutes: float | None = None  # the length, until the trainer has turned it into a number of images
    data: Dataset = field(init=False)
    held_out: Dataset | None = None  # samples that are never trained on
    notice: str = ""  # message for the user before the training
    _lock: int | None = field(default=None, init=False, repr=False, compare=False)  # file descriptor of the lock

    @property
    def model(self) -> Path:
        """The bundle."""
        return self.folder / "model.safetensors"

    @property
    def finished(self) -> bool:
        """Whether the training has reached its end."""
        return (self.folder / "result.json").exists()

    @property
    def result(self) -> dict[str, Any]:
        """The content of result.json: images, seconds and measures of the finished run.

        Raises:
            DataError: the file is damaged.
        """
        path = self.folder / "result.json"
        found = parse_json(read_regular(path), str(path))
        if not all(isinstance(found.get(name), (int, float)) for name in ("items", "seconds", "dropped", "images_per_second")):
            raise DataError(
                f"{path} lacks figures of a finished run; delete it and repeat the end: ganvas resume {self.folder}"
            )
        return found

    def write(self, probe: Mapping[str, Any] | None = None) -> None:
        """Write recipe.json and env.json; `probe` is the measurement that turned minutes into images."""
        with disk_errors(f"cannot make the run folder {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
        env: dict[str, Any] = {"plan": dataclasses.asdict(self.plan), "minutes": self.minutes, "probe": probe}
        env |= {
            "machine": describe_runtime(),
            "gpu_settings": GPU_SETTINGS,
            "format": FORMAT,
            "ganvas": __version__,
            "torchrun": os.environ.get("TORCHELASTIC_RUN_ID"),
        }
        write_durably(self.folder / "env.json", json.dumps(env, indent=1).encode())
        write_durably(self.folder / "recipe.json", json.dumps(to_dict(self.recipe), indent=1).encode())

    def attach_data(self, data: Dataset) -> None:
        """Attach the data. A part is held out if D could overfit, or if the recipe asks for held-out measures."""
        if isinstance(data, TableDataset):
            data = data.in_units(self.recipe.data.center, self.recipe.data.scale)
        kept = issubclass(GAMES[self.recipe.game], Watched | Writes | TakesInputs) or self.recipe.train.eval_every > 0
        self.data, self.held_out = data.hold_out(self.recipe.data.held_out) if kept else (data, None)

    def move(self, device: str | None, peers: Ranks) -> str:
        """Continue on `device` (None: that of its plan). For another device a new plan is chosen and written.

        Returns a message for the user, or "".

        Raises:
            UsageError, ResourceError: this machine does not have the device, or that of the plan if `device` is None.
        """
        before, wanted = self.plan, device or self.plan.device
        try:
            where = str(find_device(wanted))
        except ResourceError as missing:
            if device is not None:
                raise
            reason = str(missing).partition(";")[0]
            advice = f"continue on another device with: ganvas resume {self.folder} --device auto"
            raise ResourceError(f"{self.folder} was started on {before.device}: {reason}; {advice}") from None
        if where == before.device or (device == "auto" and _is_same_kind(before.device, where)):
            return ""
        # The number of ranks stays, because it decides how the batch is divided.
        self.plan = replace(before, device=where)
        if not _is_same_kind(before.device, where):
            self.plan = _agree_on_plan(self.recipe, self.data, where, str(before.ranks), peers)
        if peers.first:
            probe = parse_json(read_regular(self.folder / "env.json"), "env.json").get("probe")
            self.write(probe)
        plan = self.plan
        how = f"{plan.precision}, {plan.ranks} rank(s) of {plan.threads} thread(s)"
        return f"continued on {plan.device} instead of {before.device}: {how}; numbers are rounded differently from here on"

    def check(self, recipe: Recipe, minutes: float | None) -> None:
        """Check that this is a run of `recipe`.

        Raises:
            UsageError: it was started with other settings, which the message names.
        """
        source = absolute_source(self.recipe.data.source)
        ours, theirs = to_dict(self.recipe), to_dict(adapt_recipe(recipe, self.data))
        ours["data"]["source"], theirs["data"]["source"] = source, absolute_source(recipe.data.source)
        if not self.recipe.data.center:  # a run of an earlier version
            theirs["data"] |= {"center": ours["data"]["center"], "scale": ours["data"]["scale"]}
        if minutes is not None:
            theirs["train"]["images"] = ours["train"]["images"]  # minutes became images at the start of the run
        new, old = flatten(theirs), flatten(ours)
        differences = [
            f"{name}={new.get(name)!r} (it has {old.get(name)!r})" for name in new | old if new.get(name) != old.get(name)
        ]
        if differences:
            found = ", ".join(differences[:4])
            raise UsageError(f"{self.folder} holds another run; expected its own settings, got {found}; choose another --out")

    def lock(self, peers: Ranks) -> None:
        """Lock the folder against other trainings until this process ends; rank 0 does it for all ranks.

        Raises:
            ResourceError: another process is training this run.
        """
        if not peers.first:
            return
        with disk_errors(f"cannot write {self.folder / 'lock'}"):
            self._lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR)
        if not try_lock(self._lock):
            self.unlock()
            raise ResourceError(f"{self.folder} is being trained by another process; wait for it or choose another --out")

    def unlock(self) -> None:
        """Let other processes train this run again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def start_run(
    recipe: Recipe,
    *,
    out: Path | None = None,
    minutes: float | None = None,
    device: str = "auto",
    ranks: str = "1",
    peers: Ranks = Ranks(),
) -> Run:
    """A new run of the recipe on its data, or the run that is already in the folder `out`.

    Raises:
        UsageError: `out` holds something else, or the recipe or `minutes` cannot be used.
    """
    if minutes is not None and not 0 < minutes < math.inf:
        raise UsageError(f"minutes: expected a number above 0, got {minutes:g}")
    if recipe.data.split != "train":
        raise UsageError(f"data.split: a run trains on the split 'train', not on {recipe.data.split!r}; leave it out")
    recipe = replace(recipe, data=replace(recipe.data, source=absolute_source(recipe.data.source)))

    # Continue a run that is there, also after a restart by torchrun.
    folder = Path(peers.broadcast(str(out or _find_restarted_run() or "")))
    if folder != Path() and (folder / "recipe.json").exists():
        run = open_run(folder)
        run.check(recipe, minutes)
        run.notice = run.move(None if device == "auto" else device, peers)
        return run

    # Start a new one. Whether its folder can be written is checked first, because choosing a plan takes seconds.
    if out and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is no run folder; choose another --out")
    if out and peers.first:
        _require_place(out)
    data = open_data(recipe)
    recipe = parse_recipe(to_dict(adapt_recipe(recipe, data)))  # as a resumed run will read it from JSON
    plan = _agree_on_plan(recipe, data, device, str(peers.size) if peers.size > 1 else ranks, peers)
    run = Run(out or Path(), recipe, plan, minutes)
    if peers.first:
        run.folder = out or _make_numbered_folder(recipe)
        run.write()
    run.folder = Path(peers.broadcast(str(run.folder)))
    run.attach_data(data)
    return run


def _agree_on_plan(recipe: Recipe, data: Dataset, device: str, ranks: str, peers: Ranks) -> Plan:
    """The plan of rank 0 on every rank; the others wait for it. Raises: UsageError, ResourceError: there is no plan."""
    plan: Plan | None = None
    failure: GanvasError | None = None
    if peers.first:
        try:
            plan = choose_plan(recipe, data, device, ranks)
        except GanvasError as error:
            failure = error
    plan, failure = peers.broadcast((plan, failure))
    if plan is None:
        raise failure or UsageError(f"no plan for the device {device!r}; choose another --device")
    return plan


def _is_same_kind(one: str, other: str) -> bool:
    """Whether two devices are of the same kind, such as cuda and cuda:1."""
    return one.partition(":")[0] == other.partition(":")[0]


def _require_place(out: Path) -> None:
    """Check that the run folder can be made, and leave nothing behind.

    Raises:
        ResourceError: it cannot be made.
    """
    with disk_errors(f"cannot make the run folder {out}"):
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        for folder in missing:
            folder.rmdir()


def _find_restarted_run() -> Path | None:
    """The run of this torchrun job, if it restarts after a rank died and the command has no --out."""
    if int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")):
        for env in sorted(Path("runs").glob("*/env.json"), reverse=True):
            with suppress(DataError):  # a damaged file of another run
                if parse_json(read_regular(env), "env.json").get("torchrun") == os.environ.get("TORCHELASTIC_RUN_ID"):
                    return env.parent
    return None


def _make_numbered_folder(recipe: Recipe) -> Path:
    """A new folder under runs/ with the next free number."""
    root = Path("runs")
    while True:
        taken = [int(found[1]) for path in root.glob("*-*") if (found := re.match(r"(\d+)-", path.name))]
        folder = root / f"{max(taken, default=-1) + 1:05d}-{recipe.name}-seed{recipe.train.seed}"
        with disk_errors(f"cannot make the run folder {folder}"), suppress(FileExistsError):  # another process was faster
            folder.mkdir(parents=True)
            return folder


def open_run(folder: Path) -> Run:
    """The run in `folder`.

    Raises:
        DataError: there is no run in it, or it is damaged.
    """
    try:
        recipe = parse_recipe(parse_json(read_regular(folder / "recipe.json"), "recipe.json"))
        env = parse_json(read_regular(folder / "env.json"), "env.json")
        if (written := convert(int, env.get("format", 1), "format")) > FORMAT:
            raise DataError(f"it has the format {written}, and this version reads up to {FORMAT}; use a newer ganvas")
        run = Run(folder, recipe, from_dict(Plan, env["plan"]), convert(float | None, env["minutes"], "minutes"))
    except (OSError, KeyError, TypeError, GanvasError) as failure:
        raise DataError(f"{folder} is not a run folder that can be continued: {failure}") from None
    run.attach_data(open_data(recipe))
    return run
