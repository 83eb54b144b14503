"""A bundle without its discriminator, which is in a second file beside it, with the same checks."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import safetensors.torch
import torch
from file_faults import packed
from support import ganvas, miniature, miniature_model
from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Judges, Samples
from ganvas.core.game import Game, Turn
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.evaluation.generative_classifier import score_classes
from ganvas.games import GAMES, RECIPES
from ganvas.inference import model_file
from ganvas.inference.absent import Absent
from ganvas.inference.batches import sample_chunks
from ganvas.inference.model import load
from ganvas.latents.seed_latents import latents
from ganvas.utils.safetensors_header import read_header
from ganvas.utils.settings import to_dict

NAMES = ("cgan-mnist", "dcgan-mnist", "stylegan2-fashion", "fastgan-images", "progan-mnist", "cogan-edges", "textgan-names")
ADVERSARIAL = tuple({recipe.game: name for name, recipe in RECIPES.items() if GAMES[recipe.game].kept_apart}.values())


def save(name: str, folder: Path) -> tuple[Any, Path]:
    """The miniature of a recipe, and its bundle with the discriminator beside it."""
    model = miniature_model(name)
    path = folder / "model.safetensors"
    model_file.save(path, model.game, {**model.card, "items": 320})
    game: Any = type(model.game)(model.game.config)  # in the plain memory format: another one may round in another order
    game.load_state_dict(model.game.state_dict())
    return game.eval(), path


def contents(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file, and its metadata."""
    with path.open("rb") as file:
        _, metadata = read_header(file, path.stat().st_size)
    return safetensors.torch.load(path.read_bytes()), metadata


def forge(path: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> None:
    """A file of the split format with any card and weights, and with a hash that fits."""
    data = safetensors.torch.save(dict(tensors), {model_file.SPLIT: json.dumps(model_file.file_hash.reserve(card))})
    path.write_bytes(model_file.file_hash.fill(data))


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_bundle_is_smaller_by_exactly_the_bytes_of_the_discriminator(name: str, tmp_path: Path) -> None:
    game, path = save(name, tmp_path)
    whole = dict(game.state_dict())
    apart = {name: t for name, t in whole.items() if name.split(".")[0] in game.kept_apart}
    assert sum(t.nbytes for t in apart.values()) > 0
    for file, expected in ((path, whole.keys() - apart.keys()), (model_file.discriminator_path(path), apart.keys())):
        held, metadata = contents(file)
        assert held.keys() == expected
        assert metadata.keys() == {"ganvas-2"}
        head = 8 + int.from_bytes(file.read_bytes()[:8], "little")
        assert file.stat().st_size - head == sum(whole[name].nbytes for name in expected)
        assert all(torch.equal(held[name], whole[name]) for name in expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_copied_file_makes_the_same_samples(name: str, tmp_path: Path) -> None:
    game, path = save(name, tmp_path)
    copy = Path(shutil.copy(path, tmp_path / "copy.safetensors"))
    alone, _ = model_file.load(copy)
    assert not alone.training
    assert all(isinstance(getattr(alone, part), Absent) for part in game.kept_apart)
    assert not any(t.is_meta for t in (*alone.parameters(), *alone.buffers()))
    assert isinstance(alone, Samples)
    c = torch.arange(2) if isinstance(game, Conditional) else None
    z = latents(range(2), alone.latent_dim)
    assert torch.equal(sample_chunks(alone, z, c), sample_chunks(game, z, c))
    again = tmp_path / "again.safetensors"  # saved again, it is the same file, and has no discriminator to save
    model_file.save(again, alone, model_file.read_card(copy))
    assert again.read_bytes() == path.read_bytes()
    assert not model_file.discriminator_path(again).exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_discriminator_comes_back_from_the_file_beside_the_bundle(name: str, tmp_path: Path) -> None:
    game, _ = save(name, tmp_path)
    before = torch.get_rng_state()
    again, card = model_file.load(tmp_path, discriminator=True)
    assert torch.equal(before, torch.get_rng_state())
    assert model_file.OF not in card
    wanted, found = game.state_dict(), again.state_dict()
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)
    assert {(n, p.requires_grad) for n, p in again.named_parameters()} == {(n, True) for n, _ in game.named_parameters()}
    recipe, data = miniature(name)
    assert isinstance(again, Judges)
    if hasattr(recipe.config, "resolution"):
        x = torch.rand(2, *(recipe.config.channels, 32, 32))
    else:
        x = data.samples(torch.arange(2))["text"]
    c = torch.arange(2) if isinstance(game, Conditional) else None
    assert torch.equal(again.judge(x, c), game.judge(x, c))


def test_games_without_a_discriminator_stay_whole(tmp_path: Path) -> None:
    for name in ("vae-mnist", "classifier-mnist", "textlm-names"):
        _, path = save(name, tmp_path / name if (tmp_path / name).mkdir() is None else tmp_path)
        assert [file.name for file in path.parent.iterdir()] == [path.name]
        assert contents(path)[1].keys() == {"ganvas-1"}
        model_file.load_discriminator(model_file.load(path, discriminator=True)[0])  # nothing to load: no error


def test_a_verb_that_needs_it_loads_it_or_says_what_is_missing(tmp_path: Path) -> None:
    game, path = save("cgan-mnist", tmp_path)
    x = torch.rand(3, 1, 32, 32)
    wanted = score_classes(game, x)
    found = score_classes(load(tmp_path, "cpu").game, x)
    assert wanted is not None
    assert found is not None
    assert torch.equal(found, wanted)
    assert torch.equal(load(path, "cpu", discriminator=True).game.judge(x, torch.arange(3)), game.judge(x, torch.arange(3)))
    with pytest.raises(UsageError, match=r"loaded without its discriminator; use ganvas\.load\(PATH, discriminator=True\)"):
        load(path, "cpu").game.judge(x, torch.arange(3))
    alone = Path(shutil.copy(path, tmp_path / "copy.safetensors"))
    expected = (
        r"copy\.safetensors: its discriminator is needed here and is not beside it; copy copy\.discriminator\.safetensors"
    )
    for use in (lambda: score_classes(load(alone, "cpu").game, x), lambda: load(alone, discriminator=True)):
        with pytest.raises(DataError, match=expected):
            use()


def test_the_two_files_must_be_of_one_save(tmp_path: Path) -> None:
    _, path = save("cgan-mnist", tmp_path)
    apart = model_file.discriminator_path(path)
    older = apart.read_bytes()
    model = miniature_model("cgan-mnist")
    model_file.save(path, model.game, {**model.card, "items": 640})
    newer = apart.read_bytes()
    assert newer != older
    apart.write_bytes(older)  # as after a crash between the two
    with pytest.raises(DataError, match=r"another save than model\.safetensors beside it; .* ganvas resume RUN"):
        model_file.load(path, discriminator=True)
    assert load(path, "cpu").sample(1).shape == (1, 32, 32, 1)
    for wrong in (path.read_bytes(), b"", newer[:-1]):
        apart.write_bytes(wrong)
        with pytest.raises(DataError, match=r"model\.discriminator\.safetensors: "):
            model_file.load(path, discriminator=True)
    forge(apart, contents(path)[0], {**model.card, "items": 640, model_file.OF: "f" * 64})
    with pytest.raises(DataError, match="another save"):
        model_file.load(path, discriminator=True)


def test_a_discriminator_is_no_model(tmp_path: Path) -> None:
    _, path = save("dcgan-mnist", tmp_path)
    apart = model_file.discriminator_path(path)
    for read in (model_file.load, model_file.read_card, load):
        with pytest.raises(DataError, match="holds only the discriminator of a model; give the file of the model"):
            read(apart)  # type: ignore[operator]
    done = ganvas("sample", apart, "-n", 1, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1


def test_both_files_hold_exactly_their_weights(tmp_path: Path) -> None:
    _, path = save("dcgan-mnist", tmp_path)
    apart = model_file.discriminator_path(path)
    own, others = contents(path)[0], contents(apart)[0]
    card = model_file.read_card(path)
    digest = json.loads(contents(path)[1]["ganvas-2"])["sha256"]
    name, stranger = (next(key for key in held if key.endswith("weight")) for held in (others, own))
    for tensors, reason in (
        ({**own, name: others[name]}, "1 weights unexpected"),  # some of the discriminator
        ({**own, **others}, "weights unexpected"),  # all of it
        ({key: t for key, t in own.items() if key != stranger}, "1 weights missing"),
        ({**own, stranger: own[stranger].double()}, "float64"),
        ({**own, stranger: own[stranger] * float("nan")}, "NaN"),
    ):
        forge(path, tensors, card)
        with pytest.raises(DataError, match=reason):
            model_file.load(path)
    forge(path, own, card)
    for tensors, reason in (
        ({**others, stranger: own[stranger]}, "1 weights unexpected"),
        ({key: t for key, t in others.items() if key != name}, "1 weights missing"),
        ({**others, name: others[name] * float("nan")}, "NaN"),
    ):
        forge(apart, tensors, {**card, model_file.OF: digest})
        with pytest.raises(DataError, match=reason):
            model_file.load(path, discriminator=True)
    other = {**card, "recipe": {**card["recipe"], "config": {**card["recipe"]["config"], "latent_dim": 5}}}
    forge(apart, others, {**other, model_file.OF: digest})
    with pytest.raises(DataError, match="its recipe is not that of"):
        model_file.load(path, discriminator=True)
    forge(apart, others, {**card, model_file.OF: digest})
    model_file.load(path, discriminator=True)


def test_every_flipped_bit_and_every_truncation_is_noticed(tmp_path: Path) -> None:
    _, path = save("gan-ring", tmp_path)
    random = Random(3)
    for file in (path, model_file.discriminator_path(path)):
        good = file.read_bytes()
        head = 8 + int.from_bytes(good[:8], "little")
        for place in [*random.sample(range(head), 50), *random.sample(range(head, len(good)), 10)]:
            bad = bytearray(good)
            bad[place] ^= 1 << random.randrange(8)
            file.write_bytes(bad)
            with pytest.raises(DataError, match=r"\.safetensors: "):
                model_file.load(path, tell=pytest.fail, discriminator=True)
        for size in (0, 8, head, len(good) - 1):
            file.write_bytes(good[:size])
            with pytest.raises(DataError, match=r"\.safetensors: "):
                model_file.load(path, tell=pytest.fail, discriminator=True)
        file.write_bytes(good)
    model_file.load(path, tell=pytest.fail, discriminator=True)


def test_a_file_without_a_hash_is_no_split_bundle(tmp_path: Path) -> None:
    _, path = save("gan-ring", tmp_path)
    tensors, card = contents(path)[0], model_file.read_card(path)
    path.write_bytes(safetensors.torch.save(tensors, {model_file.SPLIT: json.dumps(card)}))
    with pytest.raises(DataError, match="its SHA-256 differs"):
        model_file.load(path)


def test_a_discriminator_of_any_size_fits_beside_a_small_generator(tmp_path: Path) -> None:
    """It gets no memory when the generator is loaded, so a file cannot ask for any with it, and a true one is not refused."""
    _, path = save("cgan-mnist", tmp_path)
    own, card = contents(path)[0], model_file.read_card(path)
    huge = {**card["recipe"]["config"], "head": 1 << 24}  # 8 GB
    forge(path, own, {**card, "recipe": {**card["recipe"], "config": huge}})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert load(path, "cpu").sample(1).shape == (1, 32, 32, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@dataclass(frozen=True)
class TiedConfig:
    width: int = 4
    grid: int = 2


class Tied(Game):
    """Its discriminator is kept apart, and shares a network with the generator; a buffer is in no file."""

    config_type, needs = TiedConfig, ("real",)
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012
    kept_apart = ("D",)

    def __init__(self, config: TiedConfig) -> None:
        super().__init__()
        self.config = config
        self.G: Any = nn.Sequential(nn.Linear(config.width, config.width), nn.BatchNorm1d(config.width))
        self.D: Any = nn.Sequential(nn.Conv2d(1, config.width, 3), self.G[0])
        self.register_buffer("grid", torch.full((config.grid, config.grid), 0.5), persistent=False)

    def turns(self) -> tuple[Turn, ...]:
        return ()


def test_networks_that_share_weights_are_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.games.GAMES", {"tied": Tied})
    path, game = tmp_path / "model.safetensors", Tied(TiedConfig(width=5, grid=3))
    recipe: dict[str, Any] = {"name": "tied", "game": "tied", "config": to_dict(game.config)}
    model_file.save(path, game, {"recipe": recipe})
    back, card = model_file.load(path)
    assert card == {"recipe": recipe}
    assert torch.equal(back.get_buffer("grid"), game.get_buffer("grid"))
    assert isinstance(back.D, Absent)
    model_file.load_discriminator(back)
    wanted, found = game.state_dict(), back.state_dict()
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    forge(path, contents(path)[0], {"recipe": {**recipe, "config": {"width": 5, "grid": 20_000}}})
    with pytest.raises(DataError, match="far larger"):
        model_file.load(path)


def test_a_disk_that_refuses_the_second_file_leaves_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = model_file.files.write_durably

    def refuse(path: Path, data: bytes) -> None:
        if "discriminator" in path.name:
            raise ResourceError(f"cannot write {path}: No space left on device")
        write(path, data)

    monkeypatch.setattr(model_file.files, "write_durably", refuse)
    with pytest.raises(ResourceError, match=r"model\.discriminator\.safetensors: No space"):
        save("gan-ring", tmp_path)
    assert load(tmp_path, "cpu").sample(2).shape == (2, 2)


def test_the_card_has_no_place_for_the_key_of_a_discriminator(tmp_path: Path) -> None:
    model = miniature_model("gan-ring")
    with pytest.raises(UsageError, match="must not have the key 'discriminator_of'"):
        model_file.save(tmp_path / "m.safetensors", model.game, {**model.card, model_file.OF: "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_header_of_a_terabyte_costs_nothing(tmp_path: Path) -> None:
    size = 1 << 40
    text = packed({"__metadata__": {"ganvas-2": "{}"}, "a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    path = tmp_path / "m.safetensors"
    with path.open("wb") as file:
        file.write(text)
        file.truncate(len(text) + size)
    with pytest.raises(DataError, match="SHA-256"):
        model_file.load(path)
