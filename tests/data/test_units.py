"""Points far from 0 or of unlike scales: standardised for the networks, drawn in the units of the user."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import PLAN

import ganvas
from ganvas.config import DataConfig
from ganvas.data.builtin.point_sets import POINTS, point_source
from ganvas.data.open import open_source
from ganvas.data.report import inspect
from ganvas.data.units import Units, choose_units, keep_exact, measure_units
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.evaluate import evaluate
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.inference import model_file
from ganvas.inference.model import Model
from ganvas.training.run_folder import Run, open_run

FAR = np.random.default_rng(0).normal(size=(400, 2)) * [2.0, 3e-4] + [1e6, 1e-3]


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("points") / "far.csv"
    np.savetxt(path, FAR, delimiter=",", fmt="%.12g", header="x,y", comments="")
    return path


@pytest.fixture(scope="module")
def run_folder(points: Path) -> Path:
    """A short run on the points."""
    trained(points, points.with_name("run"))
    return points.with_name("run")


@pytest.mark.parametrize("name", POINTS)
def test_built_in_points_stay_as_they_are(name: str) -> None:
    assert choose_units(point_source(name, "train").table) is None


def test_units_are_those_of_the_data_and_lose_nothing() -> None:
    data = torch.from_numpy(FAR)
    units = choose_units(data)
    assert units is not None
    assert np.allclose(units.center, FAR.mean(0), rtol=1e-12)
    assert np.allclose(units.scale, FAR.std(0), rtol=1e-6)
    standard = units.standardize(data)
    assert standard.dtype == torch.float32
    assert torch.allclose(standard.mean(0), torch.zeros(2), atol=1e-5)
    assert np.allclose(units.restore(standard).numpy(), FAR, rtol=0, atol=1e-6)


def test_a_coordinate_that_does_not_vary_has_scale_one() -> None:
    units = measure_units(torch.tensor([[5e6, 1.0], [5e6, 3.0]]))
    assert units == Units((5e6, 2.0), (1.0, 1.0))


def test_float32_stays_where_it_is_fine_enough(points: Path) -> None:
    assert keep_exact(torch.tensor([[1.0], [2.0]], dtype=torch.float64)).dtype == torch.float32
    assert open_source(DataConfig(source=str(points))).table.dtype == torch.float64
    np.save(points.with_name("far.npy"), FAR)
    assert np.array_equal(open_source(DataConfig(source=str(points.with_name("far.npy")))).table.numpy(), FAR)


def test_the_report_says_so(points: Path, tmp_path: Path) -> None:
    assert "standardised for the networks" in inspect(str(points)).text()
    (tmp_path / "near.csv").write_text("1,2\n3,4\n")
    assert "standardised" not in inspect(str(tmp_path / "near.csv")).text()


def trained(points: Path, out: Path, recipe: str = "gan-moons") -> Model:
    settings = {"train.batch": 100, "train.snapshots": 2, "config.width": 32}
    return ganvas.train(recipe, out=out, images=2_000, data=str(points), ranks=1, **settings)


def test_a_model_draws_in_the_units_of_the_user(run_folder: Path, tmp_path: Path) -> None:
    model = ganvas.load(run_folder)
    drawn = model.sample(200)
    assert drawn.dtype == np.float64
    assert (np.abs(drawn - FAR.mean(0)) < 30 * FAR.std(0)).all()  # near the data, not near 0
    recipe = json.loads((run_folder / "recipe.json").read_text())
    assert recipe["data"]["center"] == pytest.approx(FAR.mean(0).tolist())
    run = open_run(run_folder)
    assert abs(run.data.samples(torch.arange(100))["real"]).max() < 6
    report = evaluate(run_folder, samples=200)
    assert next(iter(report.measures.values())).value < 100
    assert "points are compared in standard deviations of each coordinate" in report.notes
    model.save(tmp_path / "x.npz", 10)
    with np.load(tmp_path / "x.npz") as archive:
        assert np.array_equal(archive["points"], drawn[:10])
    model.save(tmp_path / "x.png", 10)


def test_a_vae_encodes_and_decodes_in_the_units_of_the_user(points: Path, tmp_path: Path) -> None:
    model = trained(points, tmp_path / "run", "vae-mnist")
    back = model.reconstruct(FAR[:5])
    assert (np.abs(back - FAR.mean(0)) < 30 * FAR.std(0)).all()
    assert np.allclose(model.decode(model.encode(FAR[:5])), back)
    with pytest.raises(UsageError, match=r"expected shape \[n, 2\]"):
        model.encode(np.zeros((3, 5)))


def test_a_run_of_before_goes_on_as_it_was(points: Path, tmp_path: Path) -> None:
    recipe = resolve_recipe("gan-moons", data=str(points))
    new = adapt_recipe(recipe, open_data(recipe))
    assert new.data.center
    old = replace(new, data=replace(new.data, center=(), scale=()))
    run = Run(tmp_path / "run", old, PLAN)
    run.write()
    plain = json.loads((run.folder / "recipe.json").read_text())
    for name in ("center", "scale", "white"):
        del plain["data"][name]  # as an earlier version wrote it
    (run.folder / "recipe.json").write_text(json.dumps(plain))
    found = open_run(run.folder)
    assert found.data.samples(torch.arange(9))["real"][:, 0].min() > 9e5
    found.check(recipe, None)


@pytest.mark.parametrize(
    "data", [{"center": [1.0]}, {"center": ["a", 1], "scale": [1, 1]}, {"center": [0, 0], "scale": [1, 0]}]
)
def test_odd_units_in_a_card_are_one_line(run_folder: Path, data: dict[str, object]) -> None:
    model = ganvas.load(run_folder)
    model.card["recipe"]["data"] |= {"center": [], "scale": []} | data
    with pytest.raises(DataError, match=r"no sensible data\.center|expected points of 1 numbers"):
        Model(model.game, model.card, "x").sample(1)


def test_settings_of_units_are_decided_by_the_data() -> None:
    with pytest.raises(UsageError, match="the data decides it"):
        resolve_recipe("gan-moons", {"data.center": "[1, 2]"})
    with pytest.raises(UsageError, match=r"data\.scale"):
        DataConfig(source="x", center=(1.0,), scale=())


def test_a_bundle_without_units_draws_as_before(tmp_path: Path) -> None:
    model = ganvas.train("gan-moons", out=tmp_path / "run", images=256, ranks=1, **{"config.width": 8})
    assert model.units is None
    assert model.sample(3).dtype == np.float32
    card = model_file.read_card(tmp_path / "run")
    for name in ("center", "scale", "white"):
        card["recipe"]["data"].pop(name)
    assert np.array_equal(Model(model.game, card, "x").sample(3), model.sample(3))
