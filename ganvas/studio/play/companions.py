"""Other models on the same points: a VAE, which has no discriminator, and a classifier, which generates nothing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.config import Adam, TrainConfig
from ganvas.data.table import TableDataset
from ganvas.engine import loop
from ganvas.engine import state as engine_state
from ganvas.engine.state import State, new_state
from ganvas.games import classifier, vae
from ganvas.runtime.plan import Plan
from ganvas.studio.play.play_points import label_points
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import Array
from ganvas.utils.seeds import mix

ENDLESS = 2**50  # samples: they train for as long as the page is open
VAE_SAMPLES, REGION_CELLS = 300, 36  # cells along an axis
VAE_SD = {"ring": 0.03, "grid": 0.1, "spiral": 0.04, "line": 0.04}  # of p(x|z), near the data's own
Dumps = dict[str, tuple[dict[str, dict[str, Tensor]], dict[str, Any]]]  # tensors and counters of each model


class Companions:
    """Each takes a step whenever the GAN does."""

    def __init__(self, simulation: Simulation) -> None:
        setup = simulation.setup
        batch = min(128, setup.batch)
        self.training = TrainConfig(
            images=ENDLESS,
            batch=batch,
            seed=setup.seed,
            learning_rate=2e-3,
            adam=Adam(beta1=0.9),
            average_halflife=0,
            balance="off",
        )
        self.key = (setup.data, setup.seed, simulation.places)
        self.games: dict[str, tuple[State, TableDataset]] = {}
        torch.manual_seed(mix(setup.seed, "beside"))
        sd = VAE_SD.get(setup.data, 0.1)
        config = vae.Config(point=setup.dims, latent_dim=max(2, setup.dims), width=64, depth=2, sd=sd)
        self.games["vae"] = new_state(vae.VAE(config), self.training, Plan(threads=1)), simulation.data.source
        if labels := label_points(setup, simulation.data):
            source, count = labels
            layers = classifier.Config(
                dims=0, channels=setup.dims, classes=count, widths=(32,), features=32, shift=0, dropout=0.0
            )
            self.games["classifier"] = new_state(classifier.Classifier(layers), self.training, Plan(threads=1)), source

    def fits(self, simulation: Simulation) -> bool:
        """Whether these models train on the session's points."""
        return self.key == (simulation.setup.data, simulation.setup.seed, simulation.places)

    def select(self, simulation: Simulation) -> list[str]:
        """The names of the models that the settings ask for and the data allow."""
        beside = simulation.setup.beside
        names = ("vae", "classifier") if beside == "both" else (beside,)
        return [name for name in names if name in self.games]

    def train(self, simulation: Simulation, count: int) -> None:
        """Take `count` steps of each selected model."""
        for name in self.select(simulation):
            state, source = self.games[name]
            steps = loop.train(state, source, self.training)
            for _ in range(count):
                next(steps)

    def dump(self) -> Dumps:
        """A copy of their states."""
        return {name: copy.deepcopy(engine_state.dump(state)) for name, (state, _) in self.games.items()}

    def restore(self, dumps: Dumps) -> None:
        """Continue from `dumps`, bit for bit."""
        for name, (tensors, counters) in dumps.items():
            engine_state.restore(self.games[name][0], tensors, copy.deepcopy(counters))

    @torch.no_grad()
    def collect_arrays(self, simulation: Simulation) -> dict[str, Array]:
        """vae [N, D]: samples of p(x|z). regions [n, n] or [n]: the class that the classifier names at each place."""
        arrays: dict[str, Array] = {}
        names = self.select(simulation)
        if "vae" in names:
            game: Any = self.games["vae"][0].game
            generator = torch.Generator().manual_seed(mix(simulation.setup.seed, "vae"))
            z = torch.randn(VAE_SAMPLES, game.latent_dim, generator=generator)
            mean = game.sample(z)
            samples = mean + game.config.sd * torch.randn(mean.shape, generator=generator)
            arrays["vae"] = samples.numpy().astype("f4")
        if "classifier" in names:
            model: Any = self.games["classifier"][0].game
            reach = simulation.data.reach
            ticks = (torch.arange(REGION_CELLS) + 0.5) / REGION_CELLS * 2 * reach - reach
            places = torch.cartesian_prod(ticks, ticks).flip(1) if simulation.setup.dims == 2 else ticks[:, None]
            classes = model.classify(places).argmax(1)
            arrays["regions"] = np.ascontiguousarray(classes.view(-1, REGION_CELLS).numpy().astype("i4"))
        return arrays
