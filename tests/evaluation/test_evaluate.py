"""Measuring a model: names, floors, counts, and what is done with data that a measure does not fit."""

from __future__ import annotations

import json
import os
import sys
import types
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from support import PLAN, ganvas, miniature, miniature_model, save_untrained

from ganvas.cli.arguments import Measuring
from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import initial_state
from ganvas.errors import DataError, GanvasWarning, UsageError
from ganvas.evaluation import classification_accuracy
from ganvas.evaluation.comparison import compare
from ganvas.evaluation.evaluate import Report, evaluate, record
from ganvas.evaluation.measures import COMPARE, name_measure
from ganvas.evaluation.model_measures import measure_memorization
from ganvas.evaluation.sample_sets import SampleSet, fake_sample_set, real_sample_sets
from ganvas.evaluation.set_measures import _Floors
from ganvas.inference import model_file
from ganvas.inference.feature_extractors import MEASURES, Extractor, load_extractor
from ganvas.inference.model import Model
from ganvas.metrics.confidence import jackknife
from ganvas.metrics.frechet import frechet_distance
from ganvas.utils.settings import to_dict


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A bundle of the main job's miniature, before any training."""
    return save_untrained("cgan-mnist", tmp_path)


def digits(count: int) -> np.ndarray:
    """Random real training digits uint8 [count, 28, 28, 1]: neighbours in the file are by the same hand."""
    rows = torch.randperm(60_000, generator=torch.Generator().manual_seed(9))[:count]
    return open_source(DataConfig(source="mnist")).fields["real"][rows].permute(0, 2, 3, 1).numpy()


def test_numbers_carry_their_name_count_and_extractor(untrained: Path) -> None:
    report = evaluate(untrained, metrics=["fd", "swd", "requested", "recall"], samples=500)
    assert set(report.measures) == {"fd500-digits", "swd500", "requested500-digits", "recall500-digits"}
    fd = report.measures["fd500-digits"]
    assert fd.samples == 500
    assert fd.extractor == "digits"
    assert fd.value > 20 * fd.floor > 0  # noise against digits
    assert 0 < fd.interval < fd.value
    assert report.measures["recall500-digits"].value < 0.1 < report.measures["recall500-digits"].floor


def test_real_pictures_score_about_their_floor(tmp_path: Path) -> None:
    np.savez(tmp_path / "real.npz", images=digits(1000))
    report = evaluate(tmp_path / "real.npz", against="mnist", metrics=["fd", "kd", "precision", "coverage"], samples=1000)
    fd, kd = report.measures["fd1k-digits"], report.measures["kd1k-digits"]
    assert 1 / 4 < fd.value / fd.floor < 4  # the mix of digits differs by chance; noise is 1,000 times as far
    assert abs(kd.value) < 30
    for name in ("precision", "coverage"):
        measured = report.measures[f"{name}1k-digits"]
        assert measured.value == pytest.approx(measured.floor, abs=0.1)


def test_the_floor_of_few_pictures_is_that_of_as_many_reals(tmp_path: Path) -> None:
    """A Fréchet distance falls with the number of samples: 300 reals against 1,500 are farther than 1,500 other reals are."""
    np.savez(tmp_path / "few.npz", images=digits(300))
    report = evaluate(tmp_path / "few.npz", against="mnist", metrics=["fd", "precision"], samples=1500)
    fd, precision = report.measures["fd300-digits"], report.measures["precision300-digits"]
    assert fd.floor is not None
    assert 0.6 < fd.value / fd.floor < 1.7  # 3 with the floor of 1,500
    assert precision.value == pytest.approx(precision.floor, abs=0.1)


def test_names_of_measures_may_have_spaces_between_them() -> None:
    assert Measuring(metrics=" fd, kd,").options()["metrics"] == ["fd", "kd"]
    assert Measuring(metrics=",").options()["metrics"] is None


def test_a_folder_is_measured_by_random_pictures_of_it(tmp_path: Path) -> None:
    """Files are sorted by class. The first 300 of 600 would all be zeros, and far from digits of all classes."""
    source = open_source(DataConfig(source="mnist"))
    order = torch.cat([(source.fields["label"] == c).nonzero().flatten()[:300] for c in (0, 1)])
    np.savez(tmp_path / "two.npz", images=source.fields["real"][order].permute(0, 2, 3, 1).numpy())
    report = evaluate(tmp_path / "two.npz", against="mnist", metrics=["commonest", "msssim"], samples=300)
    assert report.measures["commonest300-digits"].value < 0.6
    assert evaluate(tmp_path / "two.npz", against="mnist", metrics=["msssim"], samples=300).to_dict() == {
        "msssim300": report.to_dict()["msssim300"]  # always the same ones
    }


@pytest.mark.parametrize("count", [1, 4, 9, 11, 13])
def test_few_pictures_have_values_but_perhaps_no_interval(count: int) -> None:
    """No measure is lost because its interval cannot be known, and none has an interval that is NaN."""
    few, real = (
        SampleSet(torch.from_numpy(digits(n)).permute(0, 3, 1, 2).contiguous(), None, load_extractor("digits"))
        for n in (count, 60)
    )
    least = {"fd": 10, "kd": 4, "precision": 12, "recall": 12, "density": 12, "coverage": 12, "swd": 5, "sharpness": 2}
    for name, enough in least.items():
        if count < 5 and name in ("fd", "kd", "precision", "recall", "density", "coverage", "swd"):
            continue  # fewer samples than neighbours have no value either
        value, interval = COMPARE[name](few, real)
        assert np.isfinite(value), name
        assert interval is None if count < enough else interval is not None and interval >= 0, name


def test_a_class_with_one_picture_has_no_pair() -> None:
    """It is left out of the similarity of pairs, and costs the other classes neither value nor interval."""
    images = torch.from_numpy(digits(200)).permute(0, 3, 1, 2).contiguous()
    labels = torch.arange(200) % 2
    both = SampleSet(images, labels, None)
    alone = SampleSet(torch.cat([images, images[:1]]), torch.cat([labels, torch.tensor([7])]), None)
    assert COMPARE["msssim"](alone, alone) == COMPARE["msssim"](both, both)
    assert COMPARE["msssim"](both, both)[1] is not None


def test_memorisation_that_cannot_be_tested_does_not_stop_the_others(tmp_path: Path) -> None:
    """Half of the held-out pictures are in the training set too."""
    np.savez(tmp_path / "fakes.npz", images=digits(100))
    for split in ("train", "test"):
        (tmp_path / "real" / split).mkdir(parents=True)
        for i, picture in enumerate(digits(60)):
            Image.fromarray(picture[..., 0]).save(tmp_path / "real" / split / f"{i}.png")
    options = {"against": str(tmp_path / "real"), "network": load_extractor("digits"), "samples": 100}
    report = evaluate(tmp_path / "fakes.npz", **options)
    assert "fd60-digits" in report.measures
    assert any(note.startswith("left out: memorisation (held-out: expected samples that are not") for note in report.notes)
    with pytest.raises(UsageError, match="held-out: expected samples that are not in the training set"):
        evaluate(tmp_path / "fakes.npz", metrics=["memorisation"], **options)


def test_draws_are_cut_to_the_number_of_fakes() -> None:
    _, others, _, _ = real_sample_sets("moons", None, 100, "train")
    assert others.resize(100) is others
    few = others.resize(30)
    assert [len(each.data) for each in few] == [30] * 5
    assert torch.equal(few.first.data, others.first.data[:30])
    rows = torch.cat(few.rows)
    assert len(rows.unique()) == len(rows)


def test_replayed_training_pictures_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "copies.npz", images=digits(300))
    report = evaluate(tmp_path / "copies.npz", against="mnist", metrics=["memorisation"], samples=300)
    assert report.memorisation is not None
    assert report.memorisation.copies


def test_a_measure_that_does_not_fit_is_an_error_only_if_asked_for(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    np.savetxt(points, np.random.default_rng(0).normal(size=(400, 2)), delimiter=",")
    report = evaluate(points, against="ring", samples=200)
    assert {"fd200-points", "captured", "reverse_kl"} <= set(report.measures)
    assert not any(name.startswith(("swd", "score")) for name in report.measures)
    with pytest.raises(UsageError, match="compares pictures"):
        evaluate(points, against="ring", metrics=["swd"], samples=200)


def test_path_lengths_of_a_model_with_classes(untrained: Path) -> None:
    assert evaluate(untrained, metrics=["ppl"], samples=100).measures["ppl"].value > 0


def test_path_lengths_use_the_features_of_fd(monkeypatch: pytest.MonkeyPatch, untrained: Path) -> None:
    """The network is given pictures of its own size and channels, a few at a time."""
    shapes: set[tuple[int, ...]] = set()

    def net(x: torch.Tensor) -> torch.Tensor:
        shapes.add(tuple(x.shape))
        return x.flatten(1)

    network = Extractor("wide", net, channels=3, side=56, chunk=20)
    report = evaluate(untrained, metrics=["ppl"], samples=100, network=network)
    assert report.measures["ppl"].value > 0
    assert shapes == {(20, 3, 56, 56)}


def test_features_of_floats_are_those_of_bytes() -> None:
    """No rounding, but the same size and channels."""
    network = Extractor("grey", lambda x: x.flatten(1), channels=1, side=20, chunk=4)
    pictures = torch.from_numpy(digits(4)).permute(0, 3, 1, 2).expand(-1, 3, -1, -1).contiguous()
    pictures[:, 1] //= 2
    exact = network.embed(pictures.float() / 127.5 - 1)
    assert (exact.clamp(-1, 1) - network.features(pictures)).abs().max() < 2.1 / 127.5
    colour = Extractor("colour", lambda x: x.flatten(1), channels=3, chunk=4)
    assert colour.embed(pictures[:, :1].float() / 127.5 - 1).shape == colour.features(pictures[:, :1]).shape


def test_other_reals_are_in_memory_one_draw_at_a_time() -> None:
    real, others, _, _ = real_sample_sets("mnist", None, 1000, None)
    real.extractor = others.extractor = load_extractor("digits")
    assert len(others) == 5
    floors = _Floors(["fd"], real, others)
    alive: list[weakref.ref[SampleSet]] = []
    made = others._side

    def side(rows: torch.Tensor) -> SampleSet:
        assert sum(each() is not None for each in alive[1:]) <= 1  # the first stays; the one before may still be held
        alive.append(weakref.ref(found := made(rows)))
        return found

    others._side = side  # type: ignore[method-assign]
    assert floors["fd"] > 0
    assert len(alive) == 5


def test_without_a_test_split_no_copies_are_looked_for_unasked(tmp_path: Path, untrained: Path) -> None:
    (tmp_path / "own").mkdir()
    for i, image in enumerate(digits(60)):
        Image.fromarray(image[..., 0]).save(tmp_path / "own" / f"{i}.png")
    report = evaluate(untrained, against=str(tmp_path / "own"), samples=100)
    assert report.memorisation is None
    assert "left out: memorisation" in report.text()


def test_data_that_is_not_here_is_asked_for(tmp_path: Path) -> None:
    """A bundle holds the last part of a path only."""
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, data=replace(recipe.data, source="my-pictures"))
    card = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
    model_file.save(tmp_path / "model.safetensors", initial_state(recipe, PLAN).average, card)
    with pytest.raises(DataError, match="trained on 'my-pictures', which is not here; say where it is with --against PATH"):
        evaluate(tmp_path / "model.safetensors", samples=100)


def test_bad_questions_get_one_line(tmp_path: Path, untrained: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'recall'"):
        evaluate(untrained, metrics=["recal"])
    np.savez(tmp_path / "p.npz", images=digits(100))
    with pytest.raises(UsageError, match="against"):
        evaluate(tmp_path / "p.npz")
    with pytest.raises(UsageError, match="at least 100"):
        evaluate(untrained, samples=3)
    with pytest.raises(UsageError, match="leave --temperature out"):
        evaluate(untrained, samples=100, temperature=0.5)
    with pytest.raises(UsageError, match="did you mean 'digits'"):
        evaluate(untrained, network="digit")
    with pytest.raises(DataError, match="same size"):
        evaluate(tmp_path / "p.npz", against="ring")


def test_reference_and_floor_never_share_a_sample() -> None:
    real, others, _, words = real_sample_sets("moons", None, 10**6, "train")
    assert "no test split" in words
    both = torch.cat([real.data, *(other.data for other in others)])
    assert len(both.unique(dim=0)) == len(open_source(DataConfig(source="moons")).fields["real"].unique(dim=0))


@pytest.mark.parametrize("name", MEASURES.values())
def test_shipped_networks_are_small_and_whole(name: str) -> None:
    network = load_extractor(name)
    images = torch.randint(0, 256, (3, 3, 40, 40), dtype=torch.uint8)  # any size and colours
    heads = 3 if name.endswith("each") else 1
    assert network.features(images).shape == (3, 64 * heads)
    if heads == 1:
        assert network.logits(images).shape == (3, 10)


def test_shipped_digits_network_is_as_good_as_its_page_says() -> None:
    test = open_source(DataConfig(source="mnist", split="test")).fields
    side = SampleSet(test["real"][:2000], test["label"][:2000], load_extractor("digits"))
    assert (side.logits.argmax(1) == side.labels).double().mean() > 0.985


def test_features_do_not_depend_on_how_many_are_asked_for() -> None:
    images = torch.from_numpy(digits(70)).permute(0, 3, 1, 2)
    network = load_extractor("digits")
    assert torch.equal(network.features(images)[:7], network.features(images[:7]))


def test_each_class_is_judged_by_itself(untrained: Path) -> None:
    report = evaluate(untrained, metrics=["requested", "each"], samples=500)
    classes = {name: each for name, each in report.measures.items() if ":" in name}
    assert set(classes) == {f"requested500-digits:{digit}" for digit in range(10)}
    assert sum(each.samples for each in classes.values()) == 500
    mean = sum(each.value * each.samples for each in classes.values()) / 500
    assert mean == pytest.approx(report.measures["requested500-digits"].value)
    assert all(each.floor is not None and each.floor > 0.9 for each in classes.values())
    weakest = next(line for line in report.text().splitlines() if "weakest first" in line)
    assert weakest.count("%") == 10


@pytest.mark.parametrize(("d", "corrected"), [(5, False), (8, True)])
def test_the_interval_of_a_distance_copies_one_set_at_a_time(d: int, corrected: bool) -> None:
    """It is the jackknife of the distance itself, bit for bit; it is corrected if there are many features."""
    a, b = (torch.randn(n, d, generator=torch.Generator().manual_seed(n), dtype=torch.float64) for n in (60, 80))
    assert COMPARE["fd"](SampleSet(a, None, None), SampleSet(b, None, None)) == (
        frechet_distance(a, b),
        jackknife(frechet_distance, a, b, corrected=corrected),
    )


def test_names_of_counts() -> None:
    assert name_measure("fd", 10_000, "digits") == "fd10k-digits"
    assert name_measure("swd", 950, "none") == "swd950"


def test_eval_verb_prints_json_and_keeps_a_record(tmp_path: Path, untrained: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    done = ganvas("eval", tmp_path, "--metrics", "fd", "--samples", 200, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said["fd200-digits"]) == {"value", "interval", "floor", "samples", "extractor", "baseline"}
    kept = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert kept["metrics"] == said


def test_a_run_that_cannot_be_written_keeps_no_measures_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    os.mkfifo(tmp_path / "metrics.jsonl")  # to write to a pipe without a reader would wait for ever
    with pytest.warns(GanvasWarning, match=r"the measures are not kept in .*metrics\.jsonl"):
        record(tmp_path, Report("run", 7, "digits", {}, None, ()), 0)
    random = torch.Generator().manual_seed(0)
    fakes, train, held_out = (torch.randint(256, (30, 1, 8, 8), generator=random, dtype=torch.uint8) for _ in range(3))
    with pytest.warns(GanvasWarning, match="no picture of the closest pairs"):
        assert measure_memorization(fakes, TableDataset("digits", {"real": train}), held_out, tmp_path / "gone")


@pytest.mark.slow
def test_a_classifier_of_replayed_digits_is_nearly_as_good_as_one_of_digits() -> None:
    fields = open_source(DataConfig(source="mnist")).fields
    rows = torch.randperm(60_000, generator=torch.Generator().manual_seed(0))[:10_000]
    test = open_source(DataConfig(source="mnist", split="test"))
    assert (
        classification_accuracy.classification_accuracy_score(fields["real"][rows], fields["label"][rows], test, shown=60_000)
        > 0.975
    )
    one = fields["real"][rows[:10]].repeat(100, 1, 1, 1)  # ten pictures, right and not varied
    assert (
        classification_accuracy.classification_accuracy_score(one, fields["label"][rows[:10]].repeat(100), test, shown=20_000)
        < 0.8
    )


def test_inception_is_asked_for_bytes_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for torch-fidelity's network: what it is given, and which of its answers is used for what."""

    class Network:
        def __init__(self, name: str, features: list[str]) -> None:
            assert features == ["2048", "logits_unbiased"]

        def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            assert x.dtype == torch.uint8
            return x.float().flatten(1), x.float().mean((2, 3))

    stand_in = types.ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    stand_in.FeatureExtractorInceptionV3 = Network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    grey = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    network = load_extractor("inception")
    assert torch.equal(network.features(grey)[0], grey.expand(1, 3, 16, 16).flatten().double())
    assert network.logits(grey).shape == (1, 3)
    assert network.name == "inception"


def test_without_torch_fidelity_inception_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(UsageError, match="pip install torch-fidelity"):
        load_extractor("inception")


def test_class_shares_of_real_digits(tmp_path: Path) -> None:
    np.savez(tmp_path / "real.npz", images=digits(1000))
    report = evaluate(tmp_path / "real.npz", against="mnist", metrics=["rarest", "commonest"], samples=1000)
    rows = torch.randperm(60_000, generator=torch.Generator().manual_seed(9))[:1000]
    shares = open_source(DataConfig(source="mnist")).fields["label"][rows].bincount() / 1000
    assert report.measures["rarest1k-digits"].value == pytest.approx(shares.min().item(), abs=0.003)
    assert report.measures["commonest1k-digits"].value == pytest.approx(shares.max().item(), abs=0.003)


def test_generated_classes_are_those_of_the_reals_also_if_they_are_called_like_numbers() -> None:
    plain = miniature_model("cgan-mnist")
    model = Model(plain.game, {**plain.card, "classes": ["1", "10", "2", "3", "4", "5", "6", "7", "8", "9"]}, plain.identity)
    wanted = torch.tensor([1, 0, 2, 9])
    found = fake_sample_set(model, 4, 0, wanted)
    assert found.labels is not None
    assert found.labels.tolist() == wanted.tolist()


def test_folders_of_another_size_and_color_are_read_as_the_reference(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(tmp_path / "small.npz", images=random.integers(0, 256, (120, 16, 16), dtype=np.uint8))
    np.savez(tmp_path / "large.npz", images=random.integers(0, 256, (120, 40, 40, 3), dtype=np.uint8))
    report = evaluate(tmp_path / "large.npz", against=str(tmp_path / "small.npz"), metrics=["swd"], samples=100)
    assert report.measures
    said = "read as the reference: from 40 x 40 pixels, color, to 16 x 16 pixels, grey (central square, Lanczos filter)"
    assert said in report.notes
    assert said in report.text()
    same = evaluate(tmp_path / "small.npz", against=str(tmp_path / "small.npz"), metrics=["swd"], samples=100)
    assert same.notes == ()


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_reals_are_made_square_as_the_training_pictures_were(
    fit: Literal["crop", "pad", "stretch"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wide pictures, noise on the left and grey on the right: one that replays its training data is as near as reals are."""
    noise = torch.randint(0, 256, (200, 8, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    noise[:, :, 14:] = 90
    for i, picture in enumerate(noise.numpy()):
        Image.fromarray(picture).save(tmp_path / f"{i:03}.png")
    recipe, data = miniature("gan-mnist")
    recipe = replace(recipe, data=DataConfig(source=str(tmp_path), fit=fit, white=128))
    card = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
    model_file.save(tmp_path / "model.safetensors", initial_state(recipe, PLAN).average, card)
    trained_on = open_source(recipe.data, resolution=28, channels=1).table
    opened: list[DataConfig] = []

    def listen(config: DataConfig, **options: Any) -> TableDataset:
        opened.append(config)
        return open_source(config, **options)

    monkeypatch.setattr("ganvas.evaluation.sample_sets.open_source", listen)
    monkeypatch.setattr("ganvas.evaluation.evaluate.fake_sample_set", lambda *_: SampleSet(trained_on[:100], None, None))
    monkeypatch.setattr("ganvas.evaluation.evaluate.measure_memorization", lambda *_: None)
    report = evaluate(tmp_path / "model.safetensors", metrics=["swd"], samples=100)
    (swd,) = report.measures.values()
    assert swd.floor is not None
    assert swd.value < 2 * swd.floor  # 10 times as far, if the reals are made square in another way
    compare([tmp_path / "model.safetensors"] * 2, tmp_path / "out", metrics=["swd"], samples=100)
    assert {(config.fit, config.white) for config in opened} == {(fit, 128)}
