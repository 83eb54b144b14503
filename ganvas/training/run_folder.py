"""The run folder: everything that belongs to one training.

recipe.json        what is trained, on which data, with which settings
env.json           how: the plan, the machine, the versions
log.jsonl          loss terms and notes (`training/log.py`)
samples/           snapshots: samples of the same noise during training
checkpoints/       complete states to resume from (`engine/checkpoint.py`)
start/             the weights of a model that the run began with, if there was one (`training/initial_weights.py`)
model.safetensors  the bundle (`inference/model_file.py`); its discriminator is in model.discriminator.safetensors
result.json        only of a finished run
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
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
from ganvas.inference import model_file
from ganvas.inference.shipped_models import require_run
from ganvas.runtime.device import describe_runtime, find_device
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import GPU_SETTINGS
from ganvas.training.run_data import (
    check_networks,
    describe_data,
    doubt_count,
    find_changes,
    find_unseen,
    parse_description,
    parse_origin,
    refuse_changes,
)
from ganvas.training.run_place import is_free
from ganvas.utils.files import disk_errors, make_folder, read_json, try_lock, write_durably
from ganvas.utils.parsing import is_number, printable, quote
from ganvas.utils.settings import convert, flatten, from_dict, to_dict

FORMAT = 1  # of a run folder, in env.json; raised where an older version would read a new folder wrongly
WORDS = ("about", "paper", "minutes")  # of a recipe: they describe it, and change nothing in a training


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
    data_before: dict[str, Any] | None = None  # the data as env.json describes it; None: it does not
    origin: dict[str, Any] | None = None  # the model that it began with, as env.json describes it; None: with new weights
    moved: bool = False  # whether the user has named another place of the data
    _lock: int | None = field(default=None, init=False, repr=False, compare=False)  # file descriptor of the lock

    @property
    def model(self) -> Path:
        """The bundle."""
        return self.folder / model_file.NAME

    @property
    def finished(self) -> bool:
        """Whether the training has reached its end."""
        return (self.folder / "result.json").exists()

    @cached_property
    def unseen(self) -> Dataset | None:
        """Samples for the sheets that are never trained on, as `find_unseen`; None: there are none."""
        return find_unseen(self.recipe, self.held_out)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is doubtful about the data, a sentence each, to tell before the training."""
        return (*self.data.warnings, *filter(None, [doubt_count(len(self.data))]))

    @property
    def result(self) -> dict[str, Any]:
        """The content of result.json: images, seconds and measures of the finished run.

        Raises:
            DataError: the file is damaged.
        """
        advice = f"delete it and repeat the end: ganvas resume {quote(self.folder)}"
        try:
            found = read_json(self.folder / "result.json")
        except DataError as damage:
            raise DataError(f"{damage}; {advice}") from None
        figures = {"items", "seconds", "dropped", "images_per_second", *(name for name in found if name.startswith("test_"))}
        if not all(is_number(found.get(name)) for name in figures):
            raise DataError(f"{printable(self.folder / 'result.json')} lacks figures of a finished run; {advice}")
        return found

    def write(self, probe: Mapping[str, Any] | None = None) -> None:
        """Write recipe.json and env.json; `probe` is the measurement that turned minutes into images.

        The first time recipe.json comes last: it makes the folder a run. Later it comes first: if env.json is older, it only
        still says how many minutes the run should take, and they are converted again.
        """
        with disk_errors(f"cannot make the run folder {self.folder}"):
            make_folder(self.folder)
        env: dict[str, Any] = {"plan": dataclasses.asdict(self.plan), "minutes": self.minutes, "probe": probe}
        env |= {
            "data": self.data_before,
            "machine": describe_runtime(),
            "gpu_settings": GPU_SETTINGS,
            "format": FORMAT,
            "ganvas": __version__,
            "torchrun": os.environ.get("TORCHELASTIC_RUN_ID"),
        }
        env |= {} if self.origin is None else {"origin": self.origin}
        parts = [("env.json", env), ("recipe.json", to_dict(self.recipe))]
        for name, values in reversed(parts) if (self.folder / "recipe.json").exists() else parts:
            write_durably(self.folder / name, json.dumps(values, indent=1).encode())

    def prepare(self, device: str | None, peers: Ranks, accept: bool = False) -> None:
        """Make an unfinished run ready to continue: compare its data, find its device; `notice` says what changed.

        Of a finished run, only data that the user has moved is compared, and its new place is noted.

        Raises:
            GanvasError: as `check_data` and `move`.
        """
        if self.finished:
            self.notice = self.check_data(peers, accept) if self.moved else ""
            return
        self.notice = "\n".join(filter(None, (self.check_data(peers, accept), self.move(device, peers))))

    def rewrite(self, peers: Ranks) -> None:
        """Write recipe.json and env.json again, with the measurement of the start; rank 0 does it for all ranks.

        Raises:
            ResourceError: another process is training this run.
        """
        if peers.first:
            with self.hold():
                self.write(read_json(self.folder / "env.json").get("probe"))

    def attach_data(self, data: Dataset) -> None:
        """Attach the data. A part is held out if D could overfit, or if the recipe asks for held-out measures."""
        if isinstance(data, TableDataset):
            data = data.in_units(self.recipe.data.center, self.recipe.data.scale)
        kept = issubclass(GAMES[self.recipe.game], Watched | Writes | TakesInputs) or self.recipe.train.eval_every > 0
        self.data, self.held_out = data.hold_out(self.recipe.data.held_out) if kept else (data, None)

    def check_data(self, peers: Ranks, accept: bool = False) -> str:
        """Compare the data with what env.json remembers of it, and remember it as it is now. Returns a message for the user.

        Raises:
            DataError: it has changed and `accept` is off, or the networks do not fit the changed data.
        """
        now = describe_data(self.recipe, self.data, len(self.data) + len(self.held_out or ()))
        if now == self.data_before and not self.moved:
            return ""
        # An older version remembered nothing: this is noted now, and compared from here on.
        known = self.data_before is not None or self.moved
        changes = find_changes(self.data_before, now, self.data.modality.unit) if known else []
        if changes and not accept:
            raise refuse_changes(self.folder, changes, self.recipe.data.source if self.moved else None)
        if changes:
            check_networks(self.recipe, self.data, self.folder)
        self.data_before, self.moved = now, False
        self.rewrite(peers)
        return f"continued with changed data: {'; '.join(changes)}" if changes else ""

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
            advice = f"continue on another device with: ganvas resume {quote(self.folder)} --device auto"
            raise ResourceError(f"{self.folder} was started on {before.device}: {reason}; {advice}") from None
        if where == before.device or (device == "auto" and _is_same_kind(before.device, where)):
            return ""
        # The number of ranks stays, because it decides how the batch is divided.
        self.plan = replace(before, device=where)
        if not _is_same_kind(before.device, where):
            self.plan = agree_on_plan(self.recipe, self.data, where, str(before.ranks), peers)
        self.rewrite(peers)
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
        differing = [name for name in new | old if new.get(name) != old.get(name) and name not in WORDS]
        differences = [f"{name}={new.get(name)!r} (it has {old.get(name)!r})" for name in differing]
        if self.finished and differing == ["train.images"]:
            raise UsageError(
                f"{self.folder} is finished after {self.recipe.train.images:,} images; to train it longer, branch it: "
                f"ganvas branch {quote(self.folder)} --set train.images={recipe.train.images} --out NEW"
            )
        if differences:
            found = ", ".join(differences[:4])
            raise UsageError(f"{self.folder} holds another run; expected its own settings, got {found}; choose another --out")

    def lock(self, peers: Ranks) -> None:
        """Lock the folder against other trainings until this process ends; rank 0 does it for all ranks.

        Raises:
            ResourceError: another process is training this run.
        """
        if not peers.first or self._lock is not None:
            return
        with disk_errors(f"cannot write {self.folder / 'lock'}"):
            make_folder(self.folder)
            self._lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR)
        if not try_lock(self._lock):
            self.unlock()
            raise ResourceError(f"{self.folder} is being trained by another process; wait for it or choose another --out")

    def unlock(self) -> None:
        """Let other processes train this run again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the folder locked for a block, to write recipe.json or env.json. Raises: ResourceError: as `lock`."""
        held = self._lock is not None
        self.lock(Ranks())
        try:
            yield
        finally:
            if not held:
                self.unlock()


def agree_on_plan(recipe: Recipe, data: Dataset, device: str, ranks: str, peers: Ranks) -> Plan:
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


def read_run(folder: Path) -> Run:
    """The run in `folder` without its data.

    Raises:
        DataError: there is no run in it, or it is damaged.
        UsageError: it is the name of a model that comes with ganvas.
    """
    require_run(folder)
    with suppress(OSError):  # told below, by its file
        if not folder.exists():
            raise DataError(f"{printable(folder)}: no such folder; check the path of the run")
    try:
        if not folder.is_dir():
            raise DataError("it is a file; give the folder of a run, which has its log and its recipe beside its model")
        if is_free(folder):
            raise DataError("a start was cut off in it, or it is empty; repeat the command that starts the run")
        recipe, env = parse_recipe(read_json(folder / "recipe.json")), read_json(folder / "env.json")
        if not 1 <= (written := convert(int, env.get("format", 1), "format")) <= FORMAT:
            raise DataError(f"it has the format {written}, and this version reads 1 to {FORMAT}; use a newer ganvas")
        if missing := {"minutes", "plan"} - env.keys():
            raise DataError(f"env.json lacks {' and '.join(sorted(missing))}")
        minutes, before = convert(float | None, env["minutes"], "minutes"), parse_description(env.get("data"))
        if minutes is not None and minutes <= 0:
            raise DataError(f"env.json: minutes: expected a number above 0, found {minutes:g}")
        origin = parse_origin(env.get("origin"))
        return Run(folder, recipe, from_dict(Plan, env["plan"], "plan."), minutes, data_before=before, origin=origin)
    except (OSError, TypeError, GanvasError) as failure:
        reason = f"{Path(failure.filename or '').name}: {failure.strerror}" if isinstance(failure, OSError) else failure
        raise DataError(f"{printable(folder)} is not a run folder that can be read: {printable(reason)}") from None


def open_run(folder: Path, source: str | None = None) -> Run:
    """The run in `folder` with its data; `source` is where the data is now, if it was moved.

    Raises:
        DataError: there is no run in it, it is damaged, or its data is not there.
    """
    run = read_run(folder)
    if source is not None:
        run.recipe = replace(run.recipe, data=replace(run.recipe.data, source=absolute_source(source)))
        run.moved = True
    try:
        run.attach_data(open_data(run.recipe))
    except DataError as failure:
        if source is not None or Path(run.recipe.data.source).exists() or not Path(run.recipe.data.source).is_absolute():
            raise
        raise DataError(f"{failure}; if it was moved, say where it is: ganvas resume {quote(folder)} --data PATH") from None
    return run
