"""Inputs that a page begins with: held-out ones of data that come with ganvas. Pictures of the user never go into a page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

import torch

from ganvas.core.modality import IMAGES, LABEL_MAPS, Batch
from ganvas.data.computed_domains import split_name
from ganvas.data.order import spread_evenly
from ganvas.data.source_names import BUILT_IN
from ganvas.errors import GanvasError
from ganvas.export.graphs import Input
from ganvas.games.recipes import open_data, parse_recipe
from ganvas.inference.loaded_game import LoadedGame

COUNT = 4
# Inputs that are fields of the data; the frame that a motion starts from is the picture itself.
FIELDS = {name: name for name in ("source", "a", "b", "map", "real", "low", "driving")} | {"start": "source"}


def find_examples(model: LoadedGame, inputs: tuple[Input, ...]) -> dict[str, list[str]]:
    """For each input that is a field of built-in data: a few held-out values as base64 of bytes [H, W, C], of maps [H, W].

    Of data without a test split they are of the training. Other data, and data that cannot be read here, give none.
    """
    if split_name(str(model.card["recipe"]["data"]["source"]))[1] not in BUILT_IN:
        return {}
    for batch in _read(model):
        found = {each.name: _encode(batch, each) for each in inputs if each.name in FIELDS}
        return {name: examples for name, examples in found.items() if examples}
    return {}


def _read(model: LoadedGame) -> Iterator[Batch]:
    """The first split that can be read: test, train."""
    recipe = parse_recipe(model.card["recipe"])
    for split in ("test", "train"):
        try:
            data = open_data(replace(recipe, data=replace(recipe.data, split=split)))
            yield data.samples(torch.tensor(spread_evenly(len(data), COUNT)))
        except GanvasError:  # no such split, or its files are not here: a page has no examples then
            continue


def _encode(batch: Batch, given: Input) -> list[str]:
    values = batch.get(FIELDS[given.name])
    if values is None or values.shape[1:] != given.shape or len(given.shape) > 3:  # of solids there is no pad
        return []
    kept = LABEL_MAPS.denormalize(values) if given.kind == "map" else IMAGES.denormalize(values).movedim(1, -1)
    return [base64.b64encode(each.contiguous().numpy().tobytes()).decode() for each in kept]
