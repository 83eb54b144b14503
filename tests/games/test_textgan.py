"""The game of letters: its stages, its slopes, its verbs; and the LSTM beside it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from support import PLAN, ganvas, miniature

from ganvas.core.capabilities import Encodes, Judges, Samples, Writes
from ganvas.core.game import Step
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.comparison import compare
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.validation import nats_per_symbol
from ganvas.games import RECIPES
from ganvas.games.textgan import Config, TextGAN
from ganvas.inference.model import Model, load
from ganvas.training.api import train as train_model
from ganvas.training.doctor import diagnose

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("n", "r", "sto", "m")]
SMALL = {"config.width": 16, "config.embedding": 8}


def built(**config: object) -> TextGAN:
    torch.manual_seed(0)
    return TextGAN(Config(length=4, vocabulary=4, alphabet="abc", width=8, critic_width=8, head=8, **config))  # type: ignore[arg-type]


def at(progress: float) -> Step:
    return Step(items_seen=int(1000 * progress), total_items=1000)


def test_what_it_can_do() -> None:
    game = built()
    assert isinstance(game, Samples)
    assert isinstance(game, Writes)
    assert isinstance(game, Judges)
    assert not isinstance(game, Encodes)


def test_likelihood_comes_first_and_then_fades() -> None:
    game, batch = built(pretrain=0.5, anchor=0.25), {"text": torch.tensor([[1, 2, 0, 0], [3, 3, 3, 3]])}
    game.advance(at(0.2))
    assert [turn.name for turn in game.turns()] == ["likelihood"]
    alone = game.likelihood(batch, at(0.2))["likelihood"]
    for progress, weight in ((0.5, 1.0), (0.75, 0.625), (1.0, 0.25)):
        game.advance(at(progress))
        assert [turn.name for turn in game.turns()] == ["discriminator", "generator"]
        terms = game.turns()[1].loss(batch, at(progress))
        torch.testing.assert_close(terms["likelihood"], weight * alone)
        assert set(terms) == {"G", "likelihood"}


def test_without_an_anchor_the_end_is_the_critics_word_alone() -> None:
    game = built(pretrain=0.5, anchor=0.0)
    game.advance(at(1.0))
    assert set(game.turns()[1].loss({"text": torch.ones(2, 4, dtype=torch.int64)}, at(1.0))) == {"G"}


def test_the_artists_slope_comes_through_the_letters() -> None:
    game, step = built(anchor=0.0), Step()
    game.played.fill_(1.0)
    loss = game.turns()[1].loss({"text": torch.ones(8, 4, dtype=torch.int64)}, step)["G"]
    slopes = torch.autograd.grad(loss, game.player_parameters("G"))
    assert all(bool(slope.abs().sum() > 0) for slope in slopes)


def test_the_critic_reads_text_and_one_hots_alike() -> None:
    game, text = built(), torch.randint(0, 4, (5, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(game.judge(text), game.judge(game.one_hot(text)))


@pytest.mark.parametrize("objective", ["minimax", "nonsaturating", "leastsquares", "wasserstein-gp", "hinge", "relativistic"])
def test_any_objective_plays(objective: str) -> None:
    from ganvas.games.common.rules import with_objective

    recipe, data = miniature("textgan-names")
    config = replace(recipe.config, pretrain=0.0, rules=with_objective(recipe.config.rules, objective))
    state = initial_state(replace(recipe, config=config), PLAN)
    for _, terms in itertools.islice(train(state, data, recipe.train), 6):
        assert all(bool(term.isfinite()) for term in terms.values())
    assert state.dropped == 0


@pytest.mark.parametrize(
    ("setting", "says"),
    [({"pretrain": 1.0}, "config.pretrain"), ({"anchor": -1.0}, "config.anchor"), ({"sharpness": 0.5}, "config.sharpness")],
)
def test_settings_that_make_no_sense(setting: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        built(**setting)


def test_an_alphabet_of_another_size() -> None:
    with pytest.raises(UsageError, match=r"config.vocabulary: expected one more than the 2"):
        Config(vocabulary=9, alphabet="ab")


def test_the_recipes_say_what_their_data_are() -> None:
    from ganvas.data.open import open_source
    from ganvas.games.recipes import adapt_recipe

    for name in ("textgan-names", "textgan-words", "textlm-names", "textlm-words"):
        recipe = RECIPES[name]
        assert adapt_recipe(recipe, open_source(recipe.data)) == recipe


def test_likelihood_learns() -> None:
    recipe, data = miniature("textlm-names")
    data = replace(data, index=torch.arange(4))  # few enough to be learnt by heart
    state = initial_state(recipe, PLAN)
    before = nats_per_symbol(state.game, data)  # type: ignore[arg-type]
    for _ in train(state, data, replace(recipe.train, learning_rate=0.05)):
        pass
    assert nats_per_symbol(state.game, data) < before - 0.1  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Path]:
    """Short runs of both games on a file of words."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "words.txt").write_text("\n".join([*WORDS, "", "x" * 40]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        patch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
        for name, run in (("textgan-words", "gan"), ("textlm-names", "lm")):
            settings = SMALL | ({"data.held_out": 0.2})
            train_model(name, data=folder / "words.txt", images=480, batch=16, out=folder / run, **settings)
        yield folder


def test_a_run_on_own_text(own: Path) -> None:
    config = json.loads((own / "gan" / "recipe.json").read_text())["config"]
    assert (config["length"], config["vocabulary"]) == (5, len(config["alphabet"]) + 1)
    for run in ("gan", "lm"):
        assert 0 < json.loads((own / run / "result.json").read_text())["test_nats_per_symbol"] < 4
        with Image.open(own / run / "learning.gif") as film:
            assert film.n_frames > 2
    diagnose(own / "gan")


def test_lines_by_seed(own: Path) -> None:
    model = load(own / "gan")
    lines = model.sample(40, seed=5)
    assert isinstance(lines, list)
    assert lines[7:9] == model.sample(2, seed=12)
    assert set("".join(lines)) <= set("".join(WORDS))
    cold = model.sample(40, seed=5, temperature=0.05)
    assert len(set(cold)) < len(set(lines))
    with pytest.raises(UsageError, match="above 0"):
        model.sample(2, temperature=0.0)


def test_files(own: Path) -> None:
    model = load(own / "lm")
    assert model.save(own / "s.txt", 12, seed=3).read_text().splitlines() == model.lines(12, seed=3)
    with Image.open(model.save(own / "s.png", 12)) as page:
        assert page.info["synthetic"] == "true"
    walk = model.interpolate(own / "w.txt", [1, 5], 10).read_text().splitlines()
    assert len(walk) == 10
    assert (walk[0], walk[5]) == (model.lines(1, seed=1)[0], model.lines(1, seed=5)[0])
    for wrong in (lambda: model.save(own / "s.npz"), lambda: model.interpolate(own / "w.gif", [1, 5])):
        with pytest.raises(UsageError, match=r"\.txt"):
            wrong()


def test_the_command_line(own: Path) -> None:
    done = ganvas("sample", "lm", "-n", 3, "--seed", 3, cwd=own)
    assert (done.returncode, done.stdout.splitlines()) == (0, load(own / "lm").lines(3, seed=3)), done.stderr
    done = ganvas("sample", "lm", "-n", 2, "--temperature", 0.5, "--json", cwd=own)
    assert json.loads(done.stdout)["lines"] == load(own / "lm").lines(2, temperature=0.5)
    for words, says in (
        (("--label", "a"), "without classes; leave --label out"),
        (("--psi", 0.5), "leave --psi out"),
        (("--truncate", 0.5), "use --temperature below 1, not --truncate"),
        (("--psi", 0.5, "--out", "no.txt"), "leave --psi out"),
    ):
        done = ganvas("sample", "lm", *words, cwd=own)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert says in done.stderr
    assert not (own / "no.txt").exists()
    done = ganvas("data", "words.txt", cwd=own)
    assert done.returncode == 0, done.stderr
    assert "skipped line 101: empty" in done.stderr
    assert "100 lines" in done.stdout


def test_measures(own: Path) -> None:
    report = evaluate(own / "gan", samples=100)
    found = {name.rstrip("0123456789"): measured for name, measured in report.measures.items()}
    assert set(found) == {"distinct", "novel", "unigrams", "bigrams", "trigrams", "fourgrams", "edit", "nats"}
    assert found["distinct"].floor == 1
    assert 0 <= found["trigrams"].value <= 0.6932
    assert found["edit"].floor == 0  # without a test split the reference was trained on
    assert "no test split" in report.reference
    with pytest.raises(UsageError, match="unknown metric of text 'fd'"):
        evaluate(own / "gan", metrics=["fd"])
    with pytest.raises(UsageError, match="known law"):
        evaluate(own / "gan", metrics=["oracle"])
    with pytest.raises(DataError, match="its symbols are not those"):
        evaluate(own / "gan", against="names")
    with pytest.raises(DataError, match="measured of a model only"):
        evaluate(own / "words.txt", against="names")


def test_beside_each_other(own: Path) -> None:
    found = compare([own / "gan", own / "lm"], own / "both", samples=100)
    assert [row.name for row in found.rows] == ["gan", "lm"]
    assert any(name.startswith("nats") for name in found.rows[0].measures)
    with Image.open(found.sheet) as sheet:
        assert sheet.width > 200


def test_games_of_other_kinds_refuse_text_and_text_refuses_pictures(own: Path) -> None:
    from ganvas.games.recipes import resolve_recipe
    from ganvas.training.start import start_run

    for recipe, source, says in (
        ("gan-ring", own / "words.txt", "gan needs points, images or solids and .* holds text"),
        ("cgan-mnist", own / "words.txt", "cgan needs images and .* holds text"),
        ("textgan-names", "ring", "needs text"),
    ):
        with pytest.raises(DataError, match=says):
            start_run(resolve_recipe(recipe, data=str(source)), out=own / "none")
    with pytest.raises(UsageError, match="the data decides it"):
        resolve_recipe("textgan-names", {"config.length": "5"})


def test_a_colder_model_is_measured_colder(own: Path) -> None:
    warm, cold = (evaluate(own / "gan", metrics=["distinct"], samples=100, temperature=t) for t in (1.0, 0.05))
    assert cold.subject == f"{warm.subject} at temperature 0.05"
    (before,), (after,) = warm.measures.values(), cold.measures.values()
    assert after.value < before.value
    with pytest.raises(UsageError, match="above 0"):
        evaluate(own / "gan", samples=100, temperature=0)


def test_only_text_has_a_temperature() -> None:
    torch.manual_seed(0)
    game = initial_state(miniature("gan-ring")[0], PLAN).average
    model = Model(game, {"recipe": {"name": "gan-ring"}, "classes": []}, "0")
    with pytest.raises(UsageError, match="only a model of text"):
        model.sample(2, temperature=0.5)
    with pytest.raises(UsageError, match="generates no text"):
        model.lines(2)


@pytest.mark.slow
def test_names_are_new_and_look_like_names(tmp_path: Path) -> None:
    """Of the likelihood model: the critic's half of the other recipe takes minutes more."""
    train_model("textlm-names", out=tmp_path / "run")
    found = {name.rstrip("0123456789"): measured for name, measured in evaluate(tmp_path / "run").measures.items()}
    assert found["distinct"].value > 0.97
    assert found["novel"].value > 0.8
    assert found["trigrams"].value < 0.27  # other real names: 0.18
    assert found["nats"].value < 2.0
