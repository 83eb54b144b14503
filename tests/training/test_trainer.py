"""Runs that go wrong: numbers that are not finite, disks that are full, checkpoints that rot."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from PIL import Image
from support import PLAN, miniature, state_hash

from ganvas.core.game import Step, Terms
from ganvas.core.modality import Batch
from ganvas.engine import checkpoint
from ganvas.errors import DivergedError, ResourceError
from ganvas.games.common.duel import Duel
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.inference import model_file
from ganvas.runtime.distributed import Ranks
from ganvas.training import trainer
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import Progress, Trainer, fit
from ganvas.utils import files


def begun(folder: Path, **train: Any) -> Run:
    """A run of the ring miniature."""
    recipe, data = miniature("gan-ring")
    run = Run(folder / "run", replace(recipe, train=replace(recipe.train, **train)), PLAN)
    run.write()
    run.data = data
    return run


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """Steps (by images seen) whose critic loss is NaN, until the learning rate is low enough."""
    ranges: list[range] = []
    d_loss = Duel.d_loss

    def loss(self: Duel, batch: Batch, step: Step) -> Terms:
        terms = d_loss(self, batch, step)
        return {**terms, "D": terms["D"] * float("nan")} if any(step.items_seen in bad for bad in ranges) else terms

    monkeypatch.setattr(Duel, "d_loss", loss)
    return ranges


def events(progress: Iterator[Progress]) -> list[str]:
    """All messages but that a miniature has too few samples for a distance."""
    return [event for step in progress for event in step.events if not event.startswith("no distance to the data")]


def test_single_bad_steps_are_dropped_and_counted(tmp_path: Path, poisoned: list[range]) -> None:
    poisoned.append(range(80, 160, 16))
    run = begun(tmp_path)
    assert events(fit(run)) == []
    assert run.result["dropped"] == 5
    game, _ = model_file.load(run.folder)
    assert all(torch.isfinite(value).all() for value in game.state_dict().values())


def test_ten_bad_steps_roll_back_three_times_then_give_up(tmp_path: Path, poisoned: list[range]) -> None:
    poisoned.append(range(168, 10**6))
    run = begun(tmp_path)
    with pytest.raises(DivergedError, match=r"train\.learning_rate=0\.0002"):
        list(fit(run))
    assert json.loads((run.folder / "rollbacks.json").read_text()) == [248, 248, 248]
    told = [row["event"] for row in map(json.loads, (run.folder / "log.jsonl").read_text().splitlines()) if "event" in row]
    assert [text.split()[-5] for text in told] == ["0.5", "0.25", "0.125"]
    found = checkpoint.load(run.folder / "checkpoints")
    assert found is not None
    assert found.items == 160
    assert checkpoint.is_finite(found.tensors)


def test_a_roll_back_that_helps_lets_the_run_end(tmp_path: Path, poisoned: list[range]) -> None:
    poisoned.append(range(168, 10**6))
    run = begun(tmp_path)
    seen = []
    for progress in fit(run):
        seen += events(iter([progress]))
        if seen:
            poisoned.clear()
    assert len(seen) == 1
    assert "0.5 of the learning rate" in seen[0]
    assert run.finished


def test_a_full_disk_warns_and_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(tmp_path)
    save = checkpoint.save

    def full(folder: Path, items: int, *rest: Any, **more: Any) -> Path:
        if items in (80, 160):
            raise ResourceError("no space left on the disk")
        return save(folder, items, *rest, **more)

    monkeypatch.setattr(checkpoint, "save", full)
    told = events(fit(run))
    assert [text.split(" images")[0] for text in told] == ["checkpoint not saved at 80", "checkpoint not saved at 160"]
    assert {path.name for path in (run.folder / "checkpoints").iterdir()} >= {"000000000", "000000240"}
    assert run.finished


def test_the_end_tells_the_classes_that_the_sheet_shows_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(tmp_path, images=16)
    monkeypatch.setattr(trainer, "tell_sheet", lambda game, data: f"on the sheet of {len(data)} points")
    assert events(fit(run)) == [f"on the sheet of {len(run.data)} points"]


@pytest.mark.parametrize("module", [checkpoint, model_file])
def test_a_disk_that_is_full_at_the_end(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, save, full = begun(tmp_path), module.save, [True]

    def refusing(*given: Any) -> Any:
        if full[0] and (run.folder / "samples" / "000000.320k.png").exists():
            raise ResourceError("no space left on the disk")
        return save(*given)

    monkeypatch.setattr(module, "save", refusing)
    if module is model_file:
        with pytest.raises(ResourceError, match=f"no space.*ganvas resume {run.folder}"):
            list(fit(run))
        assert not run.finished
        full[0] = False
        assert len(list(fit(run))) == 1  # nothing is left to train, but the end
    else:
        assert len(list(fit(run))) == 41  # the last step before and after its results are written
    assert run.finished
    assert model_file.read_card(run.folder)["items"] == 320


def test_a_rotten_checkpoint_is_named_and_the_one_before_is_used(tmp_path: Path) -> None:
    whole, broken = begun(tmp_path / "a"), begun(tmp_path / "b")
    list(fit(whole))
    stopped = [False]
    for progress in fit(broken, stop=lambda: stopped[0]):
        stopped[0] = progress.items >= 200
    newest = sorted((broken.folder / "checkpoints").iterdir())[-1]
    weights = newest / "game.safetensors"
    data = bytearray(weights.read_bytes())
    data[-5] ^= 4
    weights.write_bytes(data)
    again = Run(broken.folder, broken.recipe, broken.plan)
    again.data = broken.data
    told = events(fit(again))
    assert len(told) == 1
    assert newest.name in told[0]
    ours, theirs = (model_file.load(run.folder)[0].state_dict() for run in (again, whole))
    assert state_hash({"": dict(ours)}) == state_hash({"": dict(theirs)})
    assert (again.folder / "log.jsonl").read_text() == (whole.folder / "log.jsonl").read_text()


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    run = begun(tmp_path)
    run.lock(Ranks())
    other = Run(run.folder, run.recipe, run.plan)
    with pytest.raises(ResourceError, match="another process"):
        other.lock(Ranks())


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(tmp_path)
    monkeypatch.setattr("ganvas.training.run_folder.open_data", lambda recipe: run.data)
    again = open_run(run.folder)
    assert (again.recipe, again.plan, again.minutes) == (run.recipe, run.plan, None)


def test_pictures_are_denser_at_first(tmp_path: Path) -> None:
    run = begun(tmp_path, snapshots=10, images=3200)
    list(fit(run))
    names = sorted(float(path.name[:-5]) for path in (run.folder / "samples").iterdir())
    gaps = [b - a for a, b in itertools.pairwise(names)]
    assert len(names) == 11
    assert gaps[0] < gaps[-1]


class Follower(Ranks):
    """A second rank without a first: rank 0's answers are those of a list."""

    def __init__(self, answers: list[Any]) -> None:
        object.__setattr__(self, "answers", answers)
        super().__init__(rank=1, size=2)

    def broadcast(self, value: Any) -> Any:
        assert value in (None, (None, 0)), "rank 0 decides"
        return self.answers.pop(0)

    def any(self, flag: bool) -> bool:
        return flag


def test_a_late_rank_counts_no_roll_back_of_its_own(tmp_path: Path) -> None:
    """Rank 0 has written its third roll-back before rank 1 reads: it would count a fourth, and give up alone."""
    run = begun(tmp_path)
    stopped = fit(run)
    next(stopped)
    stopped.close()
    (run.folder / "rollbacks.json").write_text("[248, 248, 248]")
    sitting = Trainer(run, Follower([(0, 2), [248, 248, 248], (0, 3)]), [])
    sitting.roll_back()
    assert sitting.state.rate == 0.125


def test_every_checkpoint_is_hashed_once_however_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, hashed = begun(tmp_path, keep_all=True, checkpoint_every=40), list[Path]()
    sha256 = files.sha256

    def count(path: Path) -> str:
        hashed.append(path)
        return sha256(path)

    monkeypatch.setattr(files, "sha256", count)
    list(fit(run))
    kept = [path for path in (run.folder / "checkpoints").iterdir() if path.is_dir()]
    assert len(kept) > 8
    assert len(hashed) == sum(len(list(path.iterdir())) - 1 for path in kept)  # the manifest itself is not hashed


def pictures(folder: Path, *splits: str) -> Path:
    """A folder of two classes of grey pictures in each split."""
    for split in splits:
        for name, grey in (("dark", 20), ("light", 220)):
            (folder / split / name).mkdir(parents=True)
            for i in range(12):
                Image.new("L", (28, 28), grey + i).save(folder / split / name / f"{i}.png")
    return folder


def classify(folder: Path, out: Path) -> tuple[Run, list[str]]:
    settings = {"config.widths": "[4, 4, 8]", "config.features": 8, "train.batch": 8, "data.held_out": 0}
    chosen = resolve_recipe("classifier-mnist", settings, data=str(folder), images=80, precision="float32")
    data = open_data(chosen)
    run = Run(out, adapt_recipe(chosen, data), PLAN)
    run.write()
    run.attach_data(data)
    return run, events(fit(run))


def test_a_test_split_of_the_user_is_used_at_the_end(tmp_path: Path) -> None:
    run, told = classify(pictures(tmp_path / "private", "train", "test"), tmp_path / "run")
    assert not told
    assert 0 <= run.result["test_accuracy"] <= 1


def test_a_run_without_a_test_split_ends_as_well(tmp_path: Path) -> None:
    run, told = classify(pictures(tmp_path / "private", "."), tmp_path / "run")
    assert "test_accuracy" not in run.result
    assert "no test split" in told[0]


def test_a_model_does_not_say_where_the_pictures_lie(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "private", "train", "test")
    run, _ = classify(folder, tmp_path / "run")
    assert str(tmp_path) not in run.model.read_bytes().decode(errors="replace")
    assert model_file.read_card(run.folder)["recipe"]["data"]["source"] == str(folder)  # the run folder still knows
    shutil.copy(run.model, tmp_path / "shared.safetensors")
    card = model_file.load(tmp_path / "shared.safetensors")[1]
    assert (card["recipe"]["data"]["source"], card["data"]["name"]) == ("private", "private")
