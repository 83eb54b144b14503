"""The settings that suit each data, and the short form of settings in a link: what differs from these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ganvas.errors import UsageError, unknown_name
from ganvas.games.registry import find_recipe
from ganvas.studio.play.play_settings import BUILT_IN, CUSTOM_DATA, PlaySettings, parse_settings

RUN_STEPS = {"grid": 10_000}  # of a run that a person watches; the recipe's own run takes longer
RUN_PENALTIES = {"ring": 0.2}  # R1 and R2 of that shorter run: the recipe's own value would slow D down for too long


def parse_link(values: Mapping[str, Any]) -> PlaySettings:
    """The settings of a link, which holds what differs from the usual settings of its data.

    Raises:
        UsageError: an unknown setting, or a value that it cannot have.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"setup: expected a group of settings, got {values!r}")
    return parse_settings({**dataclasses.asdict(choose_settings(str(values.get("data", "gaussians")))), **values})


def shorten(setup: PlaySettings) -> dict[str, Any]:
    """What `parse_link` needs to make the same settings."""
    usual = dataclasses.asdict(choose_settings(setup.data))
    return {name: value for name, value in dataclasses.asdict(setup).items() if name == "data" or value != usual[name]}


def choose_settings(data: str) -> PlaySettings:
    """The settings that suit `data`: those of the recipe gan-DATA, with narrower networks where these are enough.

    Raises:
        UsageError: there is no such data.
    """
    if data in CUSTOM_DATA:
        return PlaySettings(data=data, frequencies=4, span=2.0, r1=0.1, r2=0.1, momentum=0.0, latent_dim=2)
    if data not in BUILT_IN:
        raise unknown_name("data", data, (*BUILT_IN, *CUSTOM_DATA))
    recipe = find_recipe(f"gan-{data}")
    config, train, rules = recipe.config, recipe.train, recipe.config.rules
    width = 128 if config.frequencies or data == "spiral" else 64
    return PlaySettings(
        data=data,
        width=width,
        critic_width=width,
        critic_depth=config.depth,
        **{name: getattr(config, name) for name in ("latent_dim", "depth", "coins", "frequencies", "span", "sharpen")},
        r1=RUN_PENALTIES.get(data, rules.r1_gamma),
        r2=RUN_PENALTIES.get(data, rules.r2_gamma),
        d_noise=rules.noise,
        d_rate=train.learning_rate,
        g_rate=train.learning_rate,
        momentum=train.adam.beta1,
        batch=min(256, train.batch),
        length=min(train.images // train.batch, RUN_STEPS.get(data, 2_500)),
        end=train.schedule.end,
    )
