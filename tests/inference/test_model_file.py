"""Bundles: a game comes back from one file, and a hostile file costs nothing."""

from __future__ import annotations

import json
import pickle
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import safetensors.torch
import torch
from file_faults import HOSTILE, packed
from torch import Tensor, nn

from ganvas.core.game import Game, Turn
from ganvas.errors import DataError, DivergedError, ResourceError, UsageError
from ganvas.games import GAMES
from ganvas.inference import model_file
from ganvas.utils.settings import to_dict


@dataclass(frozen=True, kw_only=True)
class TinyConfig:
    width: int = 4
    depth: int = 1
    grid: int = 2
    levels: tuple[int, ...] = (1, 2)
    gamma: float = 0.1


class Tiny(Game):
    """Shares a network between two players; has running statistics and a buffer that is rebuilt, not stored."""

    config_type = TinyConfig
    needs = ("real",)
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.G = nn.Sequential(
            *(nn.Linear(config.width, config.width) for _ in range(config.depth)), nn.BatchNorm1d(config.width)
        )
        self.D = nn.Sequential(nn.Conv2d(1, config.width, 3), self.G[0])
        self.register_buffer("level", torch.tensor(0.5))
        self.register_buffer("grid", torch.full((config.grid, config.grid), 0.5), persistent=False)

    def turns(self) -> tuple[Turn, ...]:
        return ()


class Other(Tiny):
    """The same weights, another game."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.games.GAMES", {"tiny": Tiny, "other": Other})


def card_of(config: TinyConfig, game: str = "tiny") -> dict[str, Any]:
    return {"recipe": {"name": "tiny-toy", "game": game, "config": to_dict(config)}, "images": 12, "about": "Zoë\n"}


def forge(path: Path, card: object, tensors: dict[str, Tensor] | None = None) -> Path:
    """A bundle with any card, unchecked."""
    text = card if isinstance(card, str) else json.dumps(card)
    path.write_bytes(safetensors.torch.save(tensors or {"a": torch.ones(1)}, {"ganvas-1": text}))
    return path


def weights(config: TinyConfig) -> dict[str, Tensor]:
    return {name: t.clone() for name, t in Tiny(config).state_dict().items()}


@pytest.fixture
def frugal() -> Iterator[None]:
    """Less than a second and 200 MB."""
    memory, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    yield
    assert time.perf_counter() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 200_000


def test_a_game_comes_back_with_its_card(tmp_path: Path) -> None:
    config, path = TinyConfig(width=5, depth=2, gamma=0.3), tmp_path / "model.safetensors"
    game = Tiny(config)
    game.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    game.get_buffer("level").fill_(0.25)
    model_file.save(path, game, card_of(config))
    before = torch.get_rng_state()
    for place in (path, tmp_path):  # the file, or the run folder around it
        back, card = model_file.load(place)
        assert type(back) is Tiny
        assert back.config == config
        assert card == card_of(config) == model_file.read_card(place)
        assert not back.training
        assert back.D[1] is back.G[0]
        wanted, found = game.state_dict(), back.state_dict()
        assert wanted.keys() == found.keys()
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)
        assert torch.equal(back.get_buffer("grid"), game.get_buffer("grid"))
    assert torch.equal(before, torch.get_rng_state())


def test_saving_again_replaces_and_an_error_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    for images in (1, 2):
        model_file.save(path, Tiny(TinyConfig()), {**card_of(TinyConfig()), "images": images})
        assert model_file.read_card(path)["images"] == images
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ResourceError):
        model_file.save(tmp_path / "absent" / "m.safetensors", Tiny(TinyConfig()), card_of(TinyConfig()))


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ({}, "no recipe"),
        ({"recipe": {"game": "tiny", "config": {"widht": 4}}}, "did you mean 'width'"),
        (card_of(TinyConfig(width=5)), r"expected float32 \[5"),
        (card_of(TinyConfig(gamma=0.2)), "not that of this Tiny"),
        (card_of(TinyConfig(), "other"), "not that of this Tiny"),
        ({**card_of(TinyConfig()), "x": object()}, "not JSON serializable"),
        ({**card_of(TinyConfig()), "x": "y" * (3 << 20)}, "header"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path, card: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        model_file.save(tmp_path / "m.safetensors", Tiny(TinyConfig()), card)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    game = Tiny(TinyConfig())
    game.get_buffer("level").fill_(float("nan"))
    with pytest.raises(DivergedError, match="level"):
        model_file.save(tmp_path / "m.safetensors", game, card_of(TinyConfig()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("frugal")
@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"width": 10**9}, "1000000000; at most"),
        ({"width": 10**400}, "at most"),
        ({"width": 10**7}, "builds no game|far larger"),
        ({"width": 60_000}, "far larger"),
        ({"depth": 60_000_000}, "far larger"),
        ({"grid": 20_000}, "far larger"),
        ({"width": -1}, "builds no game"),
        ({"gamma": float("inf")}, "inf; at most"),
        ({"gamma": float("nan")}, "nan; at most"),
        ({"levels": [1, "x"]}, "levels"),
        ({"levels": [1] * 200_000}, "weights unexpected|weights missing"),
        ({"width": "4"}, "width: expected int"),
        ({"wdith": 4}, "did you mean 'width'"),
        ({"x\x1b[2J" * 1000: 4}, "unknown setting"),
    ],
)
def test_hostile_configs_are_refused_before_they_cost(tmp_path: Path, config: dict[str, Any], reason: str) -> None:
    path = forge(
        tmp_path / "m.safetensors", {"recipe": {"game": "tiny", "config": config}}, weights(TinyConfig()) | {"a": torch.ones(1)}
    )
    with pytest.raises(DataError, match=reason) as caught:
        model_file.load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.isprintable()
    assert len(message) < 800


@pytest.mark.usefixtures("frugal")
@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    for read in (model_file.load, model_file.read_card):
        with pytest.raises(DataError, match=r"m\.safetensors: "):
            read(path)


@pytest.mark.usefixtures("frugal")
@pytest.mark.parametrize(
    "card",
    ["", "[" * 500_000, '{"a":' * 100_000, "[]", "null", "{}", '{"recipe": 1}', '{"recipe": {"game": ["tiny"], "config": {}}}',
     '{"recipe": {"game": "tiny", "config": []}}', '{"a": 1, "a": 2}', "\x00", "1" * 9_999,
     '{"recipe": {"game": "tiny", "config": {"width": ' + "[" * 900 + "]" * 900 + "}}}"],
)  # fmt: skip
def test_hostile_cards_are_refused(tmp_path: Path, card: str) -> None:
    with pytest.raises(DataError, match=r"m\.safetensors: "):
        model_file.load(forge(tmp_path / "m.safetensors", card))


@pytest.mark.parametrize(
    ("game", "config"),
    [
        ("gan", {"depth": -1}),
        ("dcgan", {"resolution": 4}),
        ("cgan", {"rules": {"n_critic": 0}}),
        ("classifier", {"widths": []}),
    ],
)
def test_configs_that_a_game_refuses_are_a_matter_of_the_file(
    game: str, config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganvas.games.GAMES", GAMES)
    with pytest.raises(DataError, match=r"its config (does not fit the game|builds no game)"):
        model_file.load(forge(tmp_path / "m.safetensors", {"recipe": {"game": game, "config": config}}))


def test_no_code_runs(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "m.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError):
        model_file.load(path)
    torch.save({"a": Bomb()}, path)
    with pytest.raises(DataError):
        model_file.load(path)
    with pytest.raises(DataError, match=r"unknown game 'os\.system'"):
        model_file.load(forge(path, {"recipe": {"game": "os.system", "config": {}}}))
    assert not (tmp_path / "ran").exists()


def test_each_difference_in_the_weights_is_named(tmp_path: Path) -> None:
    def reason(tensors: dict[str, Tensor]) -> str:
        with pytest.raises(DataError) as caught:
            model_file.load(forge(tmp_path / "m.safetensors", card_of(TinyConfig()), tensors))
        return str(caught.value).removeprefix(f"{tmp_path}/m.safetensors: ")

    good = weights(TinyConfig())
    short = {name: t for name, t in good.items() if not name.startswith("G.1")}
    assert reason(short) == "5 weights missing: G.1.bias, G.1.num_batches_tracked, G.1.running_mean, ..."
    assert reason({**good, "x\n": torch.ones(1)}) == "1 weights unexpected: x\\n"
    assert reason({**good, "level": torch.ones(2)}) == "level: expected float32 [], found float32 [2]"
    assert reason({**good, "level": good["level"].double()}) == "level: expected float32 [], found float64 []"


def test_half_the_bits_load_as_they_were_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "MANY", 5)
    config, path, whole = TinyConfig(width=5, depth=2), tmp_path / "half.safetensors", tmp_path / "whole.safetensors"
    game = Tiny(config)
    model_file.save(path, game, card_of(config), half=True)
    model_file.save(whole, game, card_of(config))
    assert path.stat().st_size < whole.stat().st_size
    back, _ = model_file.load(path)
    for name, wanted in game.state_dict().items():
        found = back.state_dict()[name]
        assert found.dtype == wanted.dtype
        large = wanted.dtype == torch.float32 and wanted.numel() >= 5
        assert torch.equal(found, wanted.half().float() if large else wanted), name
    with torch.no_grad():
        next(t for t in game.state_dict().values() if t.is_floating_point() and t.numel() >= 5).fill_(1e6)
    with pytest.raises(UsageError, match="does not fit into 16 bits"):
        model_file.save(path, game, card_of(config), half=True)


def test_a_newer_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "new.safetensors"
    safetensors.torch.save_file({"a": torch.ones(1)}, path, {"ganvas-3": "{}"})
    with pytest.raises(DataError, match="its format is ganvas-3, and this version reads up to ganvas-2; install a newer"):
        model_file.read_card(path)


def test_old_names_of_fields_and_weights_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, game = card_of(TinyConfig(width=3)), Tiny(TinyConfig(width=3))
    old = dict(card["recipe"]["config"])
    old["breadth"] = old.pop("width")
    card["recipe"]["config"] = old
    weights = {f"critic{name[1:]}" if name.startswith("D.") else name: each.clone() for name, each in game.state_dict().items()}
    path = tmp_path / "old.safetensors"
    safetensors.torch.save_file(weights, path, {model_file.FORMAT: json.dumps(card)})
    with pytest.raises(DataError, match="breadth"):
        model_file.load(path)
    monkeypatch.setattr(TinyConfig, "renamed", {"breadth": "width"}, raising=False)
    with pytest.raises(DataError, match="missing"):
        model_file.load(path)
    monkeypatch.setattr(Tiny, "renamed_weights", {"critic": "D"}, raising=False)
    again, _ = model_file.load(path)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), game.state_dict().values(), strict=True))
    twice = {**weights, "D.0.bias": weights["critic.0.bias"].clone()}
    safetensors.torch.save_file(twice, path, {model_file.FORMAT: json.dumps(card)})
    with pytest.raises(DataError, match=r"D\.0\.bias: expected one value"):
        model_file.load(path)


def test_what_is_not_a_bundle_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent: No such file or directory"):
        model_file.load(tmp_path / "absent")
    with pytest.raises(DataError, match=r"is a folder without model\.safetensors; give"):
        model_file.load(tmp_path)
    with pytest.raises(DataError, match="regular"):
        model_file.load(Path("/dev/zero"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(DataError, match=r"run/model\.safetensors: not a safetensors file"):  # the folder is none either
        model_file.load(tmp_path / "run")
    path = tmp_path / "hf.safetensors"
    safetensors.torch.save_file({"a": torch.ones(1)}, path, {"format": "pt"})
    with pytest.raises(DataError, match="no ganvas bundle: expected format 'ganvas-1', found 'pt'"):
        model_file.read_card(path)
    with pytest.raises(DataError, match="unknown game 'tny'; did you mean 'tiny'"):
        model_file.load(forge(path, card_of(TinyConfig(), "tny")))


def test_the_card_is_read_without_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    header = {"__metadata__": {"ganvas-1": '{"images": 3}'}}
    size = 1 << 40
    text = packed({**header, "a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    with path.open("wb") as file:  # a sparse terabyte
        file.write(text)
        file.truncate(len(text) + size)
    start = time.perf_counter()
    assert model_file.read_card(path) == {"images": 3}
    assert time.perf_counter() - start < 1


def saved(folder: Path) -> Path:
    """A bundle of the tiny game."""
    torch.manual_seed(0)
    model_file.save(folder / "m.safetensors", Tiny(TinyConfig()), card_of(TinyConfig()))
    return folder / "m.safetensors"


def test_every_flipped_bit_and_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    good, random = path.read_bytes(), Random(5)
    head = 8 + int.from_bytes(good[:8], "little")
    places = [*random.sample(range(head), 300), *random.sample(range(head, len(good)), 100)]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << random.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"m\.safetensors: "):
            model_file.load(path, tell=pytest.fail)
    for size in sorted({0, 1, 8, head, len(good) - 1, *(random.randrange(len(good)) for _ in range(60))}):
        path.write_bytes(good[:size])
        with pytest.raises(DataError, match=r"m\.safetensors: "):
            model_file.load(path, tell=pytest.fail)
    path.write_bytes(good)
    model_file.load(path, tell=pytest.fail)


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert saved(tmp_path).read_bytes() == saved(tmp_path / "again").read_bytes()


def test_a_bundle_of_before_the_hash_loads_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = forge(tmp_path / "m.safetensors", card_of(TinyConfig()), weights(TinyConfig()))
    told: list[str] = []
    model_file.load(path, tell=told.append)
    assert told == [f"{path}: saved by an older version, without a hash: damaged weights are not noticed"]
    model_file.load(path)
    assert told[0] in caplog.text


def test_weights_that_are_not_finite_are_not_loaded(tmp_path: Path) -> None:
    spoilt = weights(TinyConfig())
    spoilt["level"] = torch.tensor(float("nan"))
    path = forge(tmp_path / "m.safetensors", card_of(TinyConfig()), spoilt)
    with pytest.raises(DataError, match=r"1 weights hold NaN or infinity \(level\); use an earlier copy"):
        model_file.load(path)
