"""Helpers to define recipes: the recipes of one game and paper (`Family`), and training with a cosine schedule."""

from __future__ import annotations

from typing import Any, Literal

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig


def cosine(end: float, images: int, batch: int, rate: float, **settings: Any) -> TrainConfig:
    """Adam with beta1 0, beta2 0.99; the learning rate starts at `rate` and falls to `end` times `rate` (cosine schedule)."""
    chosen: dict[str, Any] = {"adam": Adam(beta1=0.0, beta2=0.99), "schedule": Ramp(end=end, shape="cosine"), **settings}
    return TrainConfig(images=images, batch=batch, learning_rate=rate, **chosen)


class Family:
    """The recipes of one game and paper. Call it for each recipe: Family("cgan", "...")("cgan-mnist", "mnist", ...)."""

    def __init__(self, game: str, paper: str, own_fit: Literal["crop", "pad"] = "crop") -> None:
        self.game, self.paper = game, paper
        self.own_fit: Literal["crop", "pad"] = own_fit  # how built-in images of 28 pixels get the resolution of the game

    def __call__(
        self, name: str, source: str, minutes: float, about: str, config: Any, train: TrainConfig, game: str = "", **data: Any
    ) -> Recipe:
        """A recipe; `source` is "" if the user must give data. `game` replaces the game of the family.

        `data` are further settings of the data, such as `flip`.
        """
        data = {"fit": self.own_fit if source else "crop", **data}
        return Recipe(
            name=name,
            game=game or self.game,
            config=config,
            data=DataConfig(source=source, **data),
            train=train,
            paper=self.paper,
            minutes=minutes,
            about=about,
        )
