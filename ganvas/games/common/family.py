"""How recipes are spelt in a game's file: one line for what is the same in all of a family."""

from __future__ import annotations

from typing import Any, Literal

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig


def cosine(end: float, images: int, batch: int, rate: float, **settings: Any) -> TrainConfig:
    """Training by Adam without momentum (beta1 0, beta2 0.99); the learning rate falls to `end` of its start as a cosine."""
    chosen: dict[str, Any] = {"adam": Adam(beta1=0.0, beta2=0.99), "schedule": Ramp(end=end, shape="cosine"), **settings}
    return TrainConfig(images=images, batch=batch, learning_rate=rate, **chosen)


class Family:
    """The recipes of one game and one paper. Call it with what differs: Family("cgan", "...")("cgan-mnist", "mnist", ...)."""

    def __init__(self, game: str, paper: str, own_fit: Literal["crop", "pad"] = "crop") -> None:
        self.game, self.paper = game, paper
        self.own_fit: Literal["crop", "pad"] = own_fit  # how built-in pictures, of 28 pixels, fill the game's own side

    def __call__(
        self, name: str, source: str, minutes: float, about: str, config: Any, train: TrainConfig, game: str = ""
    ) -> Recipe:
        """A recipe; `source` "" waits for the user's data. `game` where a family has several."""
        data = DataConfig(source=source, fit=self.own_fit if source else "crop")
        return Recipe(
            name=name,
            game=game or self.game,
            config=config,
            data=data,
            train=train,
            paper=self.paper,
            minutes=minutes,
            about=about,
        )
