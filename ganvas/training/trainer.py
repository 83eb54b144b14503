"""Train a run, and write its folder: log, snapshots, checkpoints, bundle, result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from PIL.Image import Image

from ganvas import __version__
from ganvas.config import TrainConfig
from ganvas.core.capabilities import TakesInputs
from ganvas.data.open import shorten_path
from ganvas.engine import checkpoint
from ganvas.engine.autotune import images_in_minutes, initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import averaged_game, dump, restore
from ganvas.errors import DataError, DivergedError, GanvasError, ResourceError, UsageError
from ganvas.evaluation import validation
from ganvas.inference import model_file
from ganvas.inference.sheet import explain_sheet, make_sheet, save_learning_gif, tell_sheet
from ganvas.media.image_files import save_png
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.process_settings import apply_plan
from ganvas.training.end_measures import measure_end
from ganvas.training.initial_weights import restore_start
from ganvas.training.log import TrainingLog
from ganvas.training.own_checkpoint import check_own, require_own_start
from ganvas.training.preparation import prepare_game
from ganvas.training.roll_backs import MOST, SIGN, read_roll_backs, write_roll_backs
from ganvas.training.run_folder import Run
from ganvas.utils.files import disk_errors, make_folder, write_durably
from ganvas.utils.parsing import printable, quote
from ganvas.utils.settings import to_dict

PATIENCE = 10  # steps in a row that are not finite, before the run goes back to its last checkpoint


@dataclass(frozen=True)
class Progress:
    """The state of a training after a step."""

    items: int
    total: int
    seconds: float  # of training, since the start of the run
    rate: float  # images per second, since this process began or resumed the run
    values: Mapping[str, float]  # loss terms and notes of this step
    terms: tuple[str, ...]  # which of the values are loss terms
    events: tuple[str, ...] = ()  # messages for the user


def fit(run: Run, ranks: Ranks = Ranks(), stop: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
    """Train the run to its end, or until `stop()` is true; either way it is saved. Yields after each step, and after the end.

    Raises:
        DivergedError: the losses are still not finite after three roll-backs.
        ResourceError: the model could not be saved at the end; a resumed run repeats the end.
    """
    apply_plan(run.plan, ranks.rank)
    events: list[str] = []
    if (minutes := run.minutes) is not None:
        images, pace = images_in_minutes(run.recipe, run.data, run.plan, ranks, minutes, run.held_out)
        events.append(f"{minutes:g} minute{'s' * (minutes != 1)} at {pace:,.0f} images/s: {images:,} images")
        run.recipe, run.minutes = replace(run.recipe, train=replace(run.recipe.train, images=images)), None
        if ranks.first:
            run.write(probe={"minutes": minutes, "images_per_second": pace})
    trainer = Trainer(run, ranks, events)
    state, config = trainer.state, run.recipe.train
    if state.items >= config.images:  # all images were used, but the end could not be saved
        trainer.finish()
        yield trainer.progress({}, ())
    for step, terms in train(state, run.data, config, ranks, run.held_out):
        values = step.values
        trainer.journal.add(step.index, state.items, values, state.items >= config.images, dropped=state.dropped)
        for message in step.events:
            events.append(message)
            trainer.journal.event({"step": step.index, "items": state.items, "event": message})
        # Before anything is saved: a checkpoint of a diverged run would be no place to go back to.
        before = step.items_seen
        if state.dropped_in_a_row >= PATIENCE:
            trainer.roll_back()
            before = state.items  # what was due at that checkpoint is there
        stopped = False
        if state.items >= config.images:
            yield trainer.progress(values, tuple(terms))  # the last step; what follows takes a while
            trainer.finish()
        else:
            stopped = ranks.any(stop())  # all ranks stop at one step, even if one of them was asked first
            trainer.save_due(before, stopped)
        yield trainer.progress(values, tuple(terms))  # reports also what could not be saved
        if stopped:
            return


class Trainer:
    """Trains a run from its start or a checkpoint, in one process, to its end or an interruption."""

    def __init__(self, run: Run, ranks: Ranks, events: list[str]) -> None:
        self.run, self.ranks, self.events = run, ranks, events
        self.journal = TrainingLog(run.folder / "log.jsonl", write=ranks.first, tell=events.append)
        self.state = initial_state(run.recipe, run.plan)
        self.before = 0.0  # seconds of training in earlier processes
        self.floor: float | None = None  # of the held-out measure, once it is computed
        self.ended: float | None = None  # when the last step was saved; what the end measures and draws is no training
        self.measurable = True  # whether there is a measure for the held-out samples
        told = len(events)
        if not self.load():
            require_own_start(run.folder)
            if len(events) > told or run.model.exists():  # not of a new run, which has neither
                again = "" if run.origin is None else ", with the weights of the model that it began with"
                events.append(f"no checkpoint of this run can be used, so it starts again from 0 images{again}")
            self.journal.rewind(-1, {})
            if run.origin is not None:
                restore_start(self.state, run.folder)
            elif beginning := self.state.game.beginning:
                events.append(beginning)
            prepare_game(self.state.game, run.data, run.recipe.train.seed, self.state.plan.device)
            self.snapshot()
            self.save()
        self.started, self.items = time.perf_counter(), self.state.items

    @property
    def seconds(self) -> float:
        """Seconds of training since the start of the run."""
        return self.before + self.spent if hasattr(self, "started") else 0.0

    @property
    def spent(self) -> float:
        """Seconds of training in this process."""
        return (time.perf_counter() if self.ended is None else self.ended) - self.started

    def progress(self, values: Mapping[str, float], terms: tuple[str, ...]) -> Progress:
        """The state of the training, with the messages since the last call."""
        events, state = tuple(self.events), self.state
        self.events.clear()
        pace = (state.items - self.items) / max(1e-9, self.spent)
        return Progress(state.items, self.run.recipe.train.images, self.seconds, pace, values, terms, events)

    def load(self) -> bool:
        """Load the newest valid checkpoint, if there is one; all ranks use that of rank 0. Returns whether there was one."""
        folder = self.run.folder / "checkpoints"
        check = partial(check_own, self.state)
        found = checkpoint.load(folder, self.report_skipped, check) if self.ranks.first else None
        # Only rank 0 chooses: another rank may see the folder a moment earlier or later.
        items, times = self.ranks.broadcast((found.items, len(self.roll_backs())) if found else (None, 0))
        if items is None:
            return False
        found = found or checkpoint.load(folder, lambda *_: None, check)
        if found is None or found.items != items:
            raise ResourceError(f"rank {self.ranks.rank} cannot read the checkpoint {items} that rank 0 reads")
        restore(self.state, found.tensors, found.meta["state"], self.ranks)
        self.state.rate = 0.5**times
        self.before = float(found.meta["seconds"])
        self.journal.rewind(items, found.meta["journal"])
        return True

    def report_skipped(self, name: str, reason: str) -> None:
        """Report a checkpoint that cannot be used."""
        self.events.append(f"skipped checkpoint {name}: {reason}")

    def save(self) -> GanvasError | None:
        """Save a checkpoint and the bundle. Returns the error if the bundle could not be saved.

        An error is reported, training goes on, and older files stay.
        """
        tensors, counters = dump(self.state, self.ranks)  # gathers the pools of all ranks, so each rank must call it
        if not self.ranks.first:
            return None
        meta = {"state": counters, "seconds": self.seconds, "journal": self.journal.sums}
        items, folder = self.state.items, self.run.folder / "checkpoints"
        self.journal.sync()
        keep = None if self.run.recipe.train.keep_all else 3
        lost = _failure(lambda: checkpoint.save(folder, items, tensors, meta, keep))
        # The bundle is far smaller: it may fit on a disk that is too full for the checkpoint.
        unkept = _failure(lambda: model_file.save(self.run.model, averaged_game(self.state), self.card()))
        for what, failure in (("checkpoint", lost), ("model", unkept)):
            if failure:
                self.events.append(f"{what} not saved at {items:,} images, training goes on: {failure}")
        return unkept

    def card(self) -> dict[str, Any]:
        """The card of the bundle: a function of the recipe, the data and the number of images.

        A bundle may be shared, so it has only the last part of the path of the user's data. recipe.json has the whole path.
        """
        run, data, recipe = self.run, self.run.data, to_dict(self.run.recipe)
        recipe["data"]["source"] = shorten_path(run.recipe.data.source)
        return {
            **({} if run.origin is None else {"from_model": run.origin}),
            "recipe": recipe,
            "items": self.state.items,
            "classes": list(data.classes),
            "data": {"name": shorten_path(data.name), "count": len(data), "fingerprint": data.fingerprint},
            "ganvas": __version__,
            "torch": torch.__version__,
        }

    def save_due(self, before: int, stopped: bool = False) -> None:
        """Make what became due since `before` images: a snapshot, a validation, a checkpoint; the last also if `stopped`.

        The checkpoint comes last: whoever is killed in between continues from the one before, and makes all of it again.
        """
        config, now = self.run.recipe.train, self.state.items
        steady = self.state.dropped_in_a_row == 0  # a roll-back should not return to a state that fails already
        pictured = _snapshots_due(before, config) != _snapshots_due(now, config)
        if pictured:
            self.snapshot()
        if steady and config.eval_every and before // config.eval_every != now // config.eval_every:
            self.validate()
        due = before // config.checkpoint_every != now // config.checkpoint_every or (pictured and config.keep_all)
        if stopped or (steady and due):
            self.save()

    def validate(self) -> None:
        """Measure the averaged game on the held-out samples, and keep it if it is the best so far."""
        if not self.ranks.first or self.run.held_out is None or not self.measurable:
            return
        game, held_out = averaged_game(self.state), self.run.held_out
        try:
            found = validation.measure(game, held_out)
        except UsageError as misfit:  # images too small for the measure: no reason to lose the run
            self.measurable = False
            self.events.append(f"no held-out measure, training goes on: {misfit}")
            return
        if found is None:
            return
        metric, value = found
        if self.floor is None:
            self.floor = validation.floor(self.run.data, held_out, game)
        floor = {} if self.floor is None else {"floor": self.floor}
        self.journal.event({"step": self.state.step, "items": self.state.items, metric: value, **floor}, once=True)
        best = validation.keep_best(self.run.folder, game, self.card(), metric, value)
        self.events.append(f"{metric} {value:.4g} after {self.state.items:,} images{', the best so far' if best else ''}")

    def snapshot(self) -> None:
        """Save a sheet; every snapshot has the same noise, or the same inputs. Its name is in thousands of images."""
        if self.ranks.first and (image := self.make_sheet()) is not None:
            folder = self.run.folder / "samples"
            text = {"recipe": self.run.recipe.name, "images": str(self.state.items), "synthetic": "true"}
            text |= explain_sheet(self.state.average, self.run.data)
            try:
                with disk_errors(f"cannot make {printable(folder)}"):
                    make_folder(folder)
                save_png(folder / f"{self.state.items / 1000:010.3f}k.png", image, text)
            except ResourceError as failure:
                self.events.append(f"no sample picture, training goes on: {failure}")

    def make_sheet(self) -> Image | None:
        """The sheet of the averaged game. Inputs are those that it is not trained on, if there are any."""
        data = self.run.unseen if isinstance(self.state.average, TakesInputs) else None
        return make_sheet(self.state.average, self.run.data if data is None else data)

    def roll_backs(self) -> list[int]:
        """The numbers of images at which the run went back."""
        return read_roll_backs(self.run.folder, self.events.append)

    def roll_back(self) -> None:
        """Go back to the last checkpoint with half the learning rate.

        Raises:
            DivergedError: it went back too often already, or there is no valid checkpoint.
        """
        # Only rank 0 reads the file: another rank could read it after rank 0 has written it.
        at = self.ranks.broadcast([*self.roll_backs(), self.state.items] if self.ranks.first else None)
        if len(at) > MOST:
            raise DivergedError(
                f"the losses were not finite {PATIENCE} steps in a row, even after {MOST} roll-backs with smaller "
                f"steps; try --set train.learning_rate={self.run.recipe.train.learning_rate / 10:g}, or look at the data"
            )
        if self.ranks.first:
            write_roll_backs(self.run.folder, at)
        rate = 0.5 ** len(at)
        message = f"{PATIENCE}{SIGN}{at[-1]:,} images with {rate:g} of the learning rate"
        if not self.load():
            raise DivergedError("the losses are not finite and there is no valid checkpoint to go back to")
        self.events.append(message)
        if self.ranks.first:
            self.journal.event({"items": self.state.items, "event": message})

    def finish(self) -> None:
        """Save the model, a sheet, an animation of all snapshots, and the result.

        Raises:
            ResourceError: the model could not be saved. There is no result then, so the run can be resumed.
        """
        self.snapshot()
        if self.run.recipe.train.eval_every:
            self.validate()
        if unkept := self.save():
            raise type(unkept)(f"{unkept}; then repeat the end of the run with: ganvas resume {quote(self.run.folder)}")
        self.ended = time.perf_counter()
        if not self.ranks.first:
            return
        seconds = self.seconds
        folder, state = self.run.folder, self.state
        result: dict[str, Any] = {"items": state.items, "seconds": round(seconds, 2), "dropped": state.dropped}
        result["images_per_second"] = round(state.items / max(seconds, 1e-9), 1)
        if (image := self.make_sheet()) is not None:
            text = {"recipe": self.run.recipe.name, "synthetic": "true", **explain_sheet(state.average, self.run.data)}
            save_png(folder / "sheet.png", image, text)
            self.events += filter(None, [tell_sheet(state.average, self.run.data)])
            try:
                save_learning_gif(folder / "learning.gif", sorted((folder / "samples").glob("*k.png")))
            except (DataError, OSError, SyntaxError, ValueError) as failure:  # a snapshot that is damaged or of another size
                self.events.append(f"no learning.gif: {printable(failure)}")
        result |= measure_end(self.run, state.average, state.items, self.events.append)
        write_durably(folder / "result.json", json.dumps(result, indent=1).encode())


def _failure(write: Callable[[], object]) -> GanvasError | None:
    """The error of `write`; None: there was none."""
    try:
        write()
    except (ResourceError, DivergedError) as failure:
        return failure
    return None


def _snapshots_due(items: int, config: TrainConfig) -> int:
    """The number of snapshots due after `items` images: more often at first, when much changes."""
    return int(config.snapshots * (items / config.images) ** 0.5)
