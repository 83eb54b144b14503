"""The bound of the VAE against closed forms, and what its encoder is good for."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from support import PLAN, ganvas, miniature
from torch import Tensor

from ganvas.core.capabilities import Bounds, Encodes, Judges, Samples
from ganvas.core.game import Step
from ganvas.editing import latent_map
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import new_state
from ganvas.errors import DataError, UsageError
from ganvas.games import RECIPES
from ganvas.games.gan import GAN
from ganvas.games.vae import VAE, Config
from ganvas.inference.model import Model, load
from ganvas.losses.likelihood import gaussian_kl
from ganvas.metrics.elbo import elbo_terms
from ganvas.training.api import train as train_model
from ganvas.training.doctor import diagnose


def built(seed: int = 0, **config: object) -> VAE:
    torch.manual_seed(seed)
    return VAE(Config(**config))  # type: ignore[arg-type]


def images(n: int, side: int = 28, channels: int = 1) -> Tensor:
    """Grey levels in [-1, 1]."""
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize(
    ("mean", "sd", "expected"),
    [(0.0, 1.0, 0.0), (2.0, 1.0, 2.0), (0.0, 2.0, 1.5 - math.log(2)), (-1.0, 0.5, 0.5 - 0.375 + math.log(2))],
)
def test_kl_closed_form(mean: float, sd: float, expected: float) -> None:
    """mean^2 / 2 + (sd^2 - 1) / 2 - ln sd. Source: arXiv:1312.6114 appendix B."""
    code = torch.full((3, 1), mean, dtype=torch.float64), torch.full((3, 1), 2 * math.log(sd), dtype=torch.float64)
    torch.testing.assert_close(gaussian_kl(*code), torch.full((3,), expected, dtype=torch.float64))


def test_kl_is_that_of_torch_and_adds_over_dimensions() -> None:
    mean, log_variance = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)


def test_a_network_that_knows_nothing_needs_784_bits() -> None:
    """Logits 0 and q = N(0, 1): the sum, not the mean, of ln 2 over the pixels, and no KL."""
    game = built()
    for weight in game.parameters():
        weight.data.zero_()
    parts = game.bound(images(5), torch.randn(5, 20))
    torch.testing.assert_close(parts["reconstruction"], torch.full((5,), 784 * math.log(2)))
    assert parts["KL"].tolist() == [0] * 5


def test_elbo_and_the_gap_to_the_posterior_make_the_likelihood() -> None:
    """log p(x) = ELBO + KL(q(z|x) || p(z|x)), all of it by quadrature over a latent of one dimension."""
    game, x = built(resolution=2, latent_dim=1, width=6, depth=2), images(4, 2)
    for weight in game.parameters():
        weight.data.mul_(2.0)  # a posterior that is far from the prior
    grid = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    width, prior = float(grid[1] - grid[0]), -grid.square() / 2 - 0.5 * math.log(2 * math.pi)
    for each in x:
        same = each.expand(len(grid), -1, -1, -1)
        with torch.no_grad():
            mean, log_variance = (code[0].double() for code in game.posterior(each[None]))
            draws = sum(part.double() for part in game.bound(same, grid.float()[:, None]).values())
            logits = game.decoder(grid.float()[:, None]).double()
        elbo = -float((prior.exp() * draws).sum()) * width
        missed = F.binary_cross_entropy_with_logits(logits, (same.double() + 1) / 2, reduction="none").flatten(1).sum(1)
        joint = prior - missed
        evidence = float(torch.logsumexp(joint, 0)) + math.log(width)
        q = -((grid - mean) ** 2) / (2 * log_variance.exp()) - 0.5 * (math.log(2 * math.pi) + log_variance)
        gap = float((q.exp() * (q - joint + evidence)).sum()) * width
        assert gap > 0.01  # else the identity would not show that ELBO is a bound
        assert elbo + gap == pytest.approx(evidence, abs=1e-4)


def test_the_gradient_goes_through_the_draw() -> None:
    """The reconstruction alone moves mean and log-variance, by the finite difference at the same noise."""
    game, x, noise = built(width=16, latent_dim=3), images(6), torch.randn(6, 3)
    game.decoder[0].weight.data.mul_(8.0)  # gradients that rounding does not blur
    head = game.encoder[-1].bias

    def missed() -> Tensor:
        return game.bound(x, noise)["reconstruction"].mean()

    (gradient,) = torch.autograd.grad(missed(), head)
    differences = torch.zeros(6)
    with torch.no_grad():
        for i in range(6):
            head[i] += 0.005
            above = missed()
            head[i] -= 0.01
            differences[i] = (above - missed()) / 0.01
            head[i] += 0.005
    assert gradient.abs().min() > 0.1
    torch.testing.assert_close(gradient, differences, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("beta", [1.0, 4.0, 0.0])
def test_terms_are_logged_apart_and_elbo_is_never_weighted(beta: float) -> None:
    game, batch = built(beta=beta), {"real": images(8)}
    torch.manual_seed(3)
    step = Step()
    terms = game.loss(batch, step)
    torch.manual_seed(3)
    parts = game.bound(batch["real"], torch.randn(8, 20))
    assert set(terms) == {"reconstruction", "KL"}
    torch.testing.assert_close(terms["KL"], beta * parts["KL"].mean())
    torch.testing.assert_close(step.notes["ELBO"], -(parts["KL"] + parts["reconstruction"]).mean())
    assert not step.notes["ELBO"].requires_grad


@pytest.mark.parametrize("side", [28, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("convolutional", [True, False])
def test_shapes_and_ranges(side: int, channels: int, convolutional: bool) -> None:
    game = built(resolution=side, channels=channels, convolutional=convolutional, width=8, max_width=16, latent_dim=5).eval()
    assert isinstance(game, Samples)
    assert isinstance(game, Encodes)
    assert isinstance(game, Bounds)
    assert not isinstance(game, Judges)
    x = images(3, side, channels)
    z = game.encode(x)
    again = game.sample(z)
    assert z.shape == (3, 5)
    assert again.shape == x.shape
    assert again.abs().max() <= 1
    assert {name: part.shape for name, part in game.bound(x, z).items()} == {"reconstruction": (3,), "KL": (3,)}


def test_the_picture_is_the_mean_of_the_pixels() -> None:
    game, z = built(), torch.randn(4, 20)
    torch.testing.assert_close((game.sample(z) + 1) / 2, torch.sigmoid(game.decoder(z)))


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"beta": -1.0}, "config.beta"),
        ({"latent_dim": 0}, "config.latent_dim"),
        ({"depth": 0}, "config.depth"),
        ({"sd": 0.0}, r"config.sd: expected a number above 0, got 0$"),
        ({"sd": math.nan}, r"config.sd: expected a number above 0, got nan$"),
        ({"point": 2, "convolutional": True}, r"^config.convolutional: points have no convolutions; leave it false$"),
    ],
)
def test_settings_that_make_no_sense(setting: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Config(**setting)  # type: ignore[arg-type]


def test_a_gan_can_have_the_very_same_decoder() -> None:
    """The comparison's artist is the VAE's decoder, weight for weight: with the last layer halved, tanh is 2 sigmoid - 1."""
    torch.manual_seed(0)
    vae, gan = VAE(RECIPES["vae-mnist"].config), GAN(RECIPES["gan-mnist-decoder"].config)
    weights = vae.decoder.state_dict()
    last = list(weights)[-2:]
    gan.G.load_state_dict({name: weight / 2 if name in last else weight for name, weight in weights.items()})
    z = torch.randn(7, 20)
    torch.testing.assert_close(gan.sample(z), vae.sample(z))


def test_nobody_balances_or_quizzes_it() -> None:
    recipe, data = miniature("vae-mnist")
    state = initial_state(recipe, PLAN)
    assert not state.balances
    for step, terms in itertools.islice(train(state, data, recipe.train), 5):
        assert set(terms) == {"reconstruction", "KL"}
        assert not {"skill", "lead", "verdict_real"} & set(step.notes)


def test_training_raises_the_bound() -> None:
    recipe, data = miniature("vae-mnist")
    few = replace(data, fields={"real": data.fields["real"][:8]})
    torch.manual_seed(0)
    state = new_state(VAE(replace(recipe.config, width=64)), replace(recipe.train, images=2_400), PLAN)
    x = few.samples(torch.arange(8))["real"]
    before = sum(float(part.mean()) for part in elbo_terms(state.game, x).values())  # type: ignore[arg-type]
    for _ in train(state, few, replace(recipe.train, images=2_400, learning_rate=3e-3)):
        pass
    parts = elbo_terms(state.game, x)  # type: ignore[arg-type]
    assert sum(float(part.mean()) for part in parts.values()) < before - 20
    kept = few.rows(torch.arange(8))["real"]  # bytes: floats are made chunk by chunk
    assert kept.dtype == torch.uint8
    assert torch.equal(elbo_terms(state.game, kept)["KL"], parts["KL"])  # type: ignore[arg-type]
    again = elbo_terms(state.game, x[:3])["KL"]  # type: ignore[arg-type]
    torch.testing.assert_close(parts["KL"][:3], again, rtol=1e-5, atol=1e-6)  # some processors round a row by its place


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Path]:
    """A short run on a folder of coloured pictures of no particular size."""
    folder = tmp_path_factory.mktemp("own")
    random = np.random.default_rng(0)
    (folder / "pets").mkdir()
    for i in range(12):
        Image.fromarray(random.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(folder / "pets" / f"{i}.png")
    settings = {"config.width": 4, "config.max_width": 8, "config.resolution": 32}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        patch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
        train_model("vae-images", data=folder / "pets", images=160, batch=8, out=folder / "run", **settings)
        yield folder


def test_own_pictures(own: Path) -> None:
    assert json.loads((own / "run" / "recipe.json").read_text())["config"]["channels"] == 3
    rows = [json.loads(line) for line in (own / "run" / "log.jsonl").read_text().splitlines()]
    assert {"reconstruction", "KL", "ELBO"} <= rows[-1].keys()
    assert rows[-1]["ELBO"] == pytest.approx(-rows[-1]["reconstruction"] - rows[-1]["KL"], rel=1e-5)
    assert {finding.name for finding in diagnose(own / "run")} <= {"too little data", "too early to tell"}
    with Image.open(latent_map.reconstruct(own / "run", own / "r.png", count=12)) as sheet:
        assert sheet.size == (10 * 66 + 2, 4 * 66 + 2)  # two pairs of rows
        assert sheet.info["data"].endswith("pets, all of it")
        pixels = np.asarray(sheet)
    assert pixels[2:66, 2:66].std() > 2 * pixels[68:132, 2:66].std()  # noise above, its mean below


def test_the_command_line(own: Path) -> None:
    done = ganvas("reconstruct", "run", "--data", "pets", "-n", 4, cwd=own)
    assert (done.returncode, done.stdout.strip()) == (0, "reconstruction.png"), done.stderr
    with Image.open(own / "reconstruction.png") as sheet:
        assert sheet.size == (4 * 66 + 2, 2 * 66 + 2)
    done = ganvas("map", "run", cwd=own)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "a map needs a latent of 2 dimensions, this model has 64" in done.stderr


def test_wrong_requests(own: Path) -> None:
    for asked, says in (({"count": 0}, "from 1 to"), ({"out": "x.gif"}, "ending in .png")):
        with pytest.raises(UsageError, match=says):
            latent_map.reconstruct(own / "run", **asked)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="nowhere"):
        latent_map.reconstruct(own / "run", data="nowhere")


def test_the_python_interface(own: Path) -> None:
    model = load(own / "run")
    pictures = np.random.default_rng(1).integers(0, 255, (40, 32, 32, 3), dtype=np.uint8)
    z = model.encode(pictures)
    assert (z.shape, z.dtype) == ((40, 64), np.float32)
    assert model.decode(z).shape == pictures.shape
    assert np.array_equal(model.reconstruct(pictures), model.decode(z))
    assert np.array_equal(model.encode(pictures[35:36])[0], z[35])  # a code does not depend on its neighbours
    for wrong in (pictures[..., :1], pictures[0], pictures[:0], pictures.astype(np.float32)):
        with pytest.raises(UsageError, match="images: expected"):
            model.encode(wrong)
    with pytest.raises(UsageError, match=r"z: expected shape \[n, 64\]"):
        model.decode(z[:, :3])


def test_only_who_encodes_is_asked_to() -> None:
    recipe, _ = miniature("dcgan-mnist")
    model = Model(initial_state(recipe, PLAN).average, {"recipe": {"name": "dcgan-mnist"}}, "")
    with pytest.raises(UsageError, match="a DCGAN has no encoder"):
        model.encode(np.zeros((1, 28, 28), np.uint8))


def test_a_map_is_the_unit_square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = latent_map.grid_middles(3)
    assert places[4].tolist() == [0.5, 0.5]
    assert places[0].tolist() == pytest.approx([1 / 6, 5 / 6])  # the top row first: v grows upwards
    assert places[8].tolist() == pytest.approx([5 / 6, 1 / 6])
    torch.testing.assert_close(torch.special.ndtr(torch.special.ndtri(places)), places)
    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
    model = train_model("vae-mnist-2d", images=128, out=tmp_path / "run", **{"config.width": 8})
    assert model.game.latent_dim == 2
    path = latent_map.latent_map(tmp_path / "run", tmp_path / "map.png", side=4)
    with Image.open(path) as sheet:
        assert sheet.height == 4 * 28
        assert sheet.width > 2 * 4 * 28
        assert sheet.info["data"] == "mnist, test split"
        corner = np.asarray(sheet.convert("L"))[:28, :28]
    z = torch.special.ndtri(torch.tensor([1 / 8, 7 / 8]))
    assert np.array_equal(corner, model.decode(z[None].numpy())[0, :, :, 0])
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["test_loss"] == pytest.approx(result["test_reconstruction"] + result["test_KL"])
    assert 400 < result["test_loss"] < 784 * math.log(2) + 20


@pytest.mark.slow
def test_the_standard_model_reaches_the_published_bound(tmp_path: Path) -> None:
    """784-400-20, 10 epochs: 105.59 nats (pytorch/examples, vae); the protocol is the recipe itself."""
    train_model("vae-mnist", out=tmp_path / "run")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert 103.5 < result["test_loss"] < 107


def test_points_are_bounded_by_a_gaussian() -> None:
    config = Config(point=2, latent_dim=2, width=8, depth=1, sd=0.3)
    game = VAE(config)
    with torch.no_grad():
        for network in (game.encoder, game.decoder):
            network[-1].weight.zero_()
            network[-1].bias.zero_()
    x = torch.tensor([[0.3, -0.6], [0.0, 0.0]])
    parts = game.bound(x, torch.randn(2, 2))
    normal = torch.distributions.Normal(torch.zeros(2), 0.3)
    torch.testing.assert_close(parts["reconstruction"], -normal.log_prob(x).sum(1))
    torch.testing.assert_close(parts["KL"], torch.zeros(2))
    assert game.sample(torch.randn(5, 2)).shape == (5, 2)
