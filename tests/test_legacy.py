"""What earlier versions wrote is read: a bundle of each game, an interrupted run, the two shipped networks.

`files/` was written by version 0.1.0, before log keys and formats had their present names. The bundles are the miniatures of
`support` after three steps; `expected.npz` holds the first 64 numbers of the samples of seeds 0 to 3 (of the logits, for the
classifier); `run` is `ganvas train gan-ring --images 60000 --seed 3 --set config.width=16`, stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support import ganvas, miniature

from ganvas.core.capabilities import Classifies, Conditional, Samples
from ganvas.engine import checkpoint
from ganvas.evaluation.evaluate import evaluate
from ganvas.games import GAMES
from ganvas.inference import model_file
from ganvas.inference.batches import sample_chunks
from ganvas.inference.feature_extractors import NETWORKS, load_extractor
from ganvas.inference.model import load
from ganvas.latents.seed_latents import latents
from ganvas.training import log
from ganvas.training.branch import branch, list_checkpoints
from ganvas.training.doctor import diagnose
from ganvas.training.run_folder import open_run

FILES = Path(__file__).parent / "files"
BUNDLES = sorted((FILES / "bundles").glob("*.safetensors"))
RUN = FILES / "run"
AT = 22_016  # points of the checkpoint in `run`
OLD_NAMES = {"gradient_critic", "gradient_artist"}


def test_there_is_a_bundle_of_each_game_of_that_version() -> None:
    assert {path.stem for path in BUNDLES} <= set(GAMES)
    assert len(BUNDLES) == 15


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_a_bundle_gives_the_same_numbers(path: Path) -> None:
    game, card = model_file.load(path)
    assert card["recipe"]["game"] == path.stem
    if isinstance(game, Samples):
        c = torch.arange(4) if isinstance(game, Conditional) else None
        found = sample_chunks(game, latents(range(4), game.latent_dim), c)
    else:
        assert isinstance(game, Classifies)
        with torch.no_grad():
            found = game.classify(miniature("classifier-mnist")[1].samples(torch.arange(4))["real"])
    with np.load(FILES / "expected.npz") as expected:
        numbers = found.float().flatten(1)[:, :64].numpy()
        np.testing.assert_allclose(numbers, expected[path.stem], rtol=1e-3, atol=1e-3)  # processors round differently


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_a_bundle_is_a_model_in_hand(path: Path) -> None:
    model = load(path, "cpu")
    if isinstance(model.game, Samples):
        assert next(model.stream(2, seed=1))[0].shape == (2, *model.shape)


@pytest.mark.parametrize("name", ["digits", "clothes"])
def test_the_shipped_networks_load(name: str) -> None:
    assert model_file.read_card(NETWORKS / f"{name}.safetensors")["recipe"]["game"] == "classifier"
    assert load_extractor(name).logits(torch.zeros(2, 1, 28, 28, dtype=torch.uint8)).shape == (2, 10)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of the interrupted run."""
    return Path(shutil.copytree(RUN, tmp_path / "run"))


def test_the_files_hold_what_was_renamed() -> None:
    """Else these tests would prove nothing."""
    text = (RUN / "log.jsonl").read_text()
    assert all(name in text for name in OLD_NAMES)
    assert "format" not in json.loads((RUN / "env.json").read_text())
    assert "moves" not in json.loads((RUN / "checkpoints" / f"{AT:09d}" / "meta.json").read_text())["state"]


def test_a_run_resumes_to_its_end(run: Path) -> None:
    before = log.read_log(run / "log.jsonl")
    done = ganvas("resume", "run", "--quiet", cwd=run.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert open_run(run).finished
    assert json.loads((run / "result.json").read_text())["items"] >= 60_000
    rows = [row for row in log.read_log(run / "log.jsonl") if "dropped" in row]
    assert rows[: len(before)] == before
    assert [row["step"] for row in rows[len(before) :]] == [59, 79, 99, 117]
    assert all({"gradient_discriminator", "gradient_generator"} <= row.keys() for row in rows)
    assert not any(OLD_NAMES & row.keys() for row in rows)
    assert rows[-1].keys() == before[-1].keys()  # no value got lost, and none has another name
    assert len(list((run / "samples").glob("*k.png"))) > len(list((RUN / "samples").glob("*k.png")))
    found = checkpoint.load(run / "checkpoints")
    assert found
    assert found.items == rows[-1]["items"]
    assert model_file.load(run)[1]["items"] == found.items


def test_a_run_is_measured_diagnosed_and_branched(run: Path) -> None:
    assert any(name.startswith("captured") for name in evaluate(str(run), samples=300).to_dict())
    assert isinstance(diagnose(run), list)
    assert list_checkpoints(run) == [AT]
    child = branch(run, run.parent / "child", {"train.learning_rate": "1e-4"}, AT)
    assert open_run(child.folder).recipe.train.learning_rate == 1e-4
    assert log.read_log(child.folder / "log.jsonl") == log.read_log(run / "log.jsonl")
