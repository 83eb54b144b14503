"""Settings survive JSON, and a mistake in one is a single line that names the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig
from ganvas.errors import UsageError
from ganvas.games import RECIPES
from ganvas.utils.settings import assign, convert, from_dict, parse_value, rename_keys, to_dict


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A game's config with one field of every kind that settings use."""

    latent_dim: int = 2
    loss: Literal["hinge", "wasserstein"] = "hinge"
    growth: Literal[1, 2] = 1
    hidden: tuple[int, ...] = (64, 64)
    span: tuple[float, str] = (0.5, "cm")
    r1_gamma: float | None = None
    title: str | None = None
    flip: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    fade: Ramp = field(default_factory=Ramp)


def recipe(config: Any = Toy(), train: TrainConfig = TrainConfig()) -> Recipe:
    return Recipe(name="toy", game="toy", config=config, data=DataConfig(source="ring"), train=train, paper="none", minutes=0.5)


finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=8)
positive = st.floats(min_value=0, allow_infinity=False)
ramps = st.builds(Ramp, start=finite, end=finite, shape=st.sampled_from(["linear", "cosine"]))
toys = st.builds(
    Toy,
    latent_dim=st.integers(),
    loss=st.sampled_from(["hinge", "wasserstein"]),
    growth=st.sampled_from([1, 2]),
    hidden=st.lists(st.integers(), max_size=3).map(tuple),
    span=st.tuples(finite, words),
    r1_gamma=st.none() | finite,
    title=st.none() | words,
    flip=st.booleans(),
    weights=st.dictionaries(words, finite, max_size=3),
    notes=st.dictionaries(words, words, max_size=3),
    fade=ramps,
)
trains = st.builds(
    TrainConfig,
    images=st.integers(1, 2**53),
    learning_rate=positive,
    rates=st.dictionaries(words, positive, max_size=2),
    schedule=st.builds(Ramp, start=positive, end=positive),
    adam=st.builds(Adam, beta1=st.floats(0, 1, exclude_max=True)),
    precision=st.sampled_from(["auto", "float32", "bfloat16"]),
)


@given(toys, trains)
def test_a_recipe_survives_json(config: Toy, train: TrainConfig) -> None:
    whole = recipe(config, train)
    spelled = json.dumps(to_dict(whole), allow_nan=False)
    assert from_dict(Recipe, json.loads(spelled), config=Toy) == whole


@given(toys)
def test_every_field_can_be_assigned_from_its_json(config: Toy) -> None:
    built = Toy(fade=config.fade)
    for name, value in to_dict(config).items():
        if name != "fade":
            built = assign(built, name, json.dumps(value))
    assert built == config


def test_an_empty_group_is_the_defaults_and_an_integer_is_a_float() -> None:
    assert from_dict(Toy, {}) == Toy()
    assert from_dict(Ramp, {"start": 2}) == Ramp(start=2.0)
    assert type(from_dict(Ramp, {"start": 2}).start) is float


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("config.latent_dim", "8", recipe(Toy(latent_dim=8))),
        ("config.hidden", "[32]", recipe(Toy(hidden=(32,)))),
        ("config.hidden", "[]", recipe(Toy(hidden=()))),
        ("config.span", '[1, "mm"]', recipe(Toy(span=(1.0, "mm")))),
        ("config.loss", "wasserstein", recipe(Toy(loss="wasserstein"))),
        ("config.loss", '"wasserstein"', recipe(Toy(loss="wasserstein"))),
        ("config.growth", "2", recipe(Toy(growth=2))),
        ("config.r1_gamma", "null", recipe()),
        ("config.r1_gamma", "10", recipe(Toy(r1_gamma=10.0))),
        ("config.flip", "true", recipe(Toy(flip=True))),
        ("config.title", "a ring of eight", recipe(Toy(title="a ring of eight"))),
        ("config.title", "8", recipe(Toy(title="8"))),
        ("config.notes.who", "true", recipe(Toy(notes={"who": "true"}))),
        ("config.fade.shape", "cosine", recipe(Toy(fade=Ramp(shape="cosine")))),
        ("data.source", "2024", replace(recipe(), data=DataConfig(source="2024"))),
        ("data.source", "/a/b.c=d", replace(recipe(), data=DataConfig(source="/a/b.c=d"))),
        ("train.adam.beta1", "0", recipe(train=TrainConfig(adam=Adam(beta1=0.0)))),
        ("train.rates.D", "2", recipe(train=TrainConfig(rates={"D": 2.0}))),
        ("train.rates.players.D", "2", recipe(train=TrainConfig(rates={"players.D": 2.0}))),
        ("train.rates", '{"D": 2, "G": 0.5}', recipe(train=TrainConfig(rates={"D": 2.0, "G": 0.5}))),
    ],
)
def test_assign(path: str, text: str, expected: Recipe) -> None:
    before = recipe()
    assert assign(before, path, text) == expected
    assert before == recipe()


def test_assign_adds_to_a_mapping_and_a_whole_mapping_replaces_it() -> None:
    train = TrainConfig(rates={"D": 2.0})
    assert assign(train, "rates.G", "3").rates == {"D": 2.0, "G": 3.0}
    assert assign(train, "rates", "{}").rates == {}
    assert train.rates == {"D": 2.0}


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("trian.seed", "1", "unknown setting 'trian'; did you mean 'train'?"),
        ("train.lerning_rate", "1", "unknown setting 'train.lerning_rate'; did you mean 'train.learning_rate'?"),
        ("train.adam.beta3", "1", "unknown setting 'train.adam.beta3'; did you mean 'train.adam.beta"),
        ("", "1", "unknown setting ''"),
        ("beta1", "1", "unknown setting 'beta1'; did you mean 'train.adam.beta1'?"),
        ("lerning_rate", "1", "unknown setting 'lerning_rate'; did you mean 'train.learning_rate'?"),
        ("end", "1", "unknown setting 'end'; did you mean 'config.fade.end' or 'train.schedule.end'?"),
        ("config.loss", "hing", "unknown value of config.loss 'hing'; did you mean 'hinge'? (known: hinge, wasserstein)"),
        ("config.growth", "true", "unknown value of config.growth 'True'"),
        ("config.growth", "3", "unknown value of config.growth '3' (known: 1, 2)"),
        ("config.latent_dim", "true", "config.latent_dim: expected int, got True"),
        ("config.latent_dim", "1.5", "config.latent_dim: expected int, got 1.5"),
        ("config.latent_dim", "many", "config.latent_dim: expected int, got 'many'"),
        ("config.flip", "1", "config.flip: expected bool, got 1"),
        ("train.learning_rate", "[" * 100_000, "train.learning_rate: expected float, got '[[["),
        ("config.hidden", "3", "config.hidden: expected tuple[int, ...], got 3"),
        ("config.hidden", "[3, true]", "config.hidden: expected int, got True"),
        ("config.span", "[1]", "config.span: expected tuple[float, str], got [1]"),
        ("config.r1_gamma", "true", "config.r1_gamma: expected float, got True"),
        ("train.learning_rate", "NaN", "train.learning_rate: expected float, got nan"),
        ("train.learning_rate", "Infinity", "train.learning_rate: expected float, got inf"),
        ("train.learning_rate", "1" + "0" * 400, "train.learning_rate: expected float, got 1"),
        ("train.rates.D", "fast", "train.rates.D: expected float, got 'fast'"),
        ("train.rates", "2", "train.rates: expected collections.abc.Mapping[str, float], got 2"),
        ("train.rates", '{"D": null}', "train.rates.D: expected float, got None"),
        ("train", "1", "train is a group of settings: images, batch, seed"),
        ("train.adam", "{}", "train.adam is a group of settings: beta1, beta2, eps"),
        ("train.seed.first", "1", "train.seed is a single value, it has no 'first'"),
    ],
)
def test_assign_says_what_is_wrong(path: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        assign(recipe(), path, text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"sourse": "x"},
            "unknown setting 'sourse'; did you mean 'source'? (known: center, channels, crop, fit, flip, held_out, pair, "
            "scale, source, split, swap, tile, white)",
        ),
        ({}, "missing settings of DataConfig: source"),
        ({"source": 3}, "source: expected str, got 3"),
        ({"source": "x", "split": ["train"]}, "unknown value of split"),
        (["x"], "DataConfig: expected a group of settings, got ['x']"),
    ],
)
def test_from_dict_says_what_is_wrong(values: Any, message: str) -> None:
    with pytest.raises(UsageError) as error:
        from_dict(DataConfig, values)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("data", {"split": "test"}, "missing settings of DataConfig: data.source"),
        ("data", "ring", "data: expected a group of settings, got 'ring'"),
        ("config", {"hiden": [1]}, "unknown setting 'config.hiden'; did you mean 'config.hidden'?"),
        ("train", {"adam": {"beta1": "x"}}, "train.adam.beta1: expected float, got 'x'"),
    ],
)
def test_a_nested_mistake_is_named_by_its_path(section: str, values: Any, message: str) -> None:
    with pytest.raises(UsageError) as error:
        from_dict(Recipe, {**to_dict(recipe()), section: values}, config=Toy)
    assert str(error.value).startswith(message)


@given(st.text())
def test_any_command_line_text_is_read_or_refused_in_one_line(text: str) -> None:
    for path in ("config.latent_dim", "config.title", "config.hidden", "config.weights", "config.loss", text):
        try:
            assign(recipe(), path, text)
        except UsageError:
            continue
    assert assign(DataConfig(source="x"), "source", json.dumps(text)).source == text


def test_parse_reads_json_or_the_words_themselves() -> None:
    assert [parse_value(text) for text in ("0.1", "1", "true", "hinge", "[1]", "[1", "")] == [
        0.1,
        1,
        True,
        "hinge",
        [1],
        "[1",
        "",
    ]


def test_a_kind_that_settings_do_not_use_is_refused() -> None:
    with pytest.raises(UsageError, match=r"x: expected list\[int\], got \[1\]"):
        convert(list[int], [1], "x")


@pytest.mark.parametrize(
    ("name", "setting", "bounds"),
    [
        ("gan-ring", "train.adam.beta1=2", "from 0 to below 1, got 2"),
        ("gan-ring", "train.learning_rate=-1", "at least 0, got -1"),
        ("gan-ring", "train.average_halflife=-5", "from 0"),
        ("gan-ring", "train.seed=99999999999999999999", "from 0 to 9,223,372,036,854,775,807"),
        ("gan-ring", "train.rates.D=-1", "at least 0"),
        ("gan-ring", "train.schedule.end=-1", "at least 0"),
        ("gan-ring", "train.batch=0", "from 1 to 16,777,216"),
        ("gan-ring", "data.held_out=1", "from 0 to below 1"),
        ("gan-ring", "config.rules.penalty_every=0", "at least 1"),
        ("gan-ring", "config.rules.n_critic=0", "at least 1"),
        ("gan-ring", "config.rules.smoothing=5", "from 0 to 1, got 5"),
        ("gan-ring", "config.rules.r1_gamma=-1", "at least 0"),
        ("gan-ring", "config.depth=-1", "at least 1"),
        ("dcgan-mnist", "config.width=0", "at least 1"),
        ("cgan-mnist", "config.latent_dim=0", "at least 1"),
        ("r3gan-mnist", "config.growth=0", "at least 1"),
        ("r3gan-mnist", "config.patch=3", "one of [1, 2, 4] at 28 pixels, got 3"),
        ("classifier-mnist", "config.dropout=2", "from 0 to 1"),
        ("classifier-mnist", "config.widths=[]", "numbers of at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, setting: str, bounds: str) -> None:
    path, _, text = setting.partition("=")
    with pytest.raises(UsageError, match=f"^{path}: expected {re.escape(bounds)}"):
        assign(RECIPES[name], path, text)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A config with a field that had another name once."""

    renamed: ClassVar[Mapping[str, str]] = {"equalised": "equalized"}

    equalized: bool = False
    width: int = 8


def test_files_with_former_names_load() -> None:
    assert from_dict(Moved, {"equalised": True, "width": 4}) == Moved(equalized=True, width=4)
    with pytest.raises(UsageError, match="found another under its old name equalised"):
        from_dict(Moved, {"equalized": False, "equalised": True})
    assert to_dict(Moved(equalized=True)) == {"equalized": True, "width": 8}
    assert assign(Moved(), "equalised", "true") == Moved(equalized=True)
    with pytest.raises(UsageError, match="did you mean 'equalized'"):
        from_dict(Moved, {"equalizde": True})


def test_renaming_keeps_what_has_its_name() -> None:
    assert rename_keys({"old": 1, "same": 2}, {"old": "new"}) == {"new": 1, "same": 2}


def test_the_learning_rate_of_a_player() -> None:
    config = TrainConfig(images=1_000, batch=10, learning_rate=0.1, rates={"D": 2.0}, schedule=Ramp(end=0.0), warmup=100)
    assert config.rate_of("G", 0.0) == pytest.approx(0.01)
    assert config.rate_of("G", 0.04) == pytest.approx(0.1 * 0.96 * 0.5)
    assert config.rate_of("D", 0.5) == pytest.approx(2 * 0.1 * 0.5)
    assert TrainConfig(learning_rate=0.1).rate_of("G", 0.0) == 0.1
    with pytest.raises(UsageError, match=r"train.warmup"):
        TrainConfig(warmup=-1)
