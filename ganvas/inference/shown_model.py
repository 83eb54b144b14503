"""A model that shows itself in a notebook: a sheet of its samples, or of inputs and what it makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from PIL.Image import Image
from torch import Tensor

from ganvas.core.capabilities import Classifies, Couples, Samples, TakesInputs, Writes
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS, modality_of
from ganvas.data.computed_domains import split_name
from ganvas.data.dataset import Dataset
from ganvas.data.order import spread_evenly
from ganvas.data.source_names import BUILT_IN
from ganvas.errors import DataError, GanvasError, UsageError
from ganvas.games.recipes import open_data, parse_recipe
from ganvas.inference.batches import as_pictures, classify_chunks
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.inference.photo_sheet import draw_photo_sheet
from ganvas.inference.sheet import COLUMNS, line_width, make_input_sheet
from ganvas.media.font import show_names
from ganvas.media.grid import legible_scale, make_grid, name_columns, name_rows
from ganvas.media.image_files import encode_png
from ganvas.media.preview import draw_page
from ganvas.media.scatter import scatter
from ganvas.utils.parsing import require_count

MOST_SHOWN = 65_536  # samples in one picture
NAMED = 400  # test pictures that a classifier names
SHOWN = {VOXELS: 30, POINTS: 500, TEXT: 30, IMAGES: 100}  # samples of a model that shows itself


class ShownModel(LoadedGame):
    """A trained game as pictures."""

    def picture(self, samples: Tensor, columns: int | None = None, classes: Sequence[int] = ()) -> Image:
        """One picture of samples [n, ...]; `classes` are those of images, if they come in turn: their names stand above."""
        if isinstance(self.game, Writes):
            return draw_page(self.game.decode_text(samples), line_width(self.game), columns)
        if modality_of(samples) is POINTS:
            samples = samples if self.units is None else self.units.standardize(samples)  # unlike scales fill the picture too
            return scatter(samples[:0], samples)
        if columns is None:
            columns = max(1, round(len(samples) ** 0.5))
            if together := len(self.classes) if isinstance(self.game, Couples) else len(classes):
                # A class, or an object of all classes, has whole columns; as many of them as make the sheet square.
                columns = together * max(1, round(columns / together))
        images = as_pictures(samples)
        columns = min(columns, len(images))
        grid = make_grid(images, columns, legible_scale(images.shape[-1]))
        names = show_names(self.classes)
        return name_columns(grid, [names[classes[k % len(classes)]] for k in range(columns)]) if classes else grid

    def named_in_turn(self, label: Label, n: int) -> list[int]:
        """The classes that n samples of `label` show in turn; [] for a single one, or if not all are shown."""
        classes = [] if isinstance(self.game, Couples) else list(self.choose_classes(label))
        return classes if 1 < len(classes) <= n else []

    def file_picture(self, samples: Tensor, columns: int | None = None, classes: Sequence[int] = ()) -> Image:
        """As `picture`, for a file. One image alone is as the model makes it, without a frame: other commands can read it."""
        if self.modality is IMAGES and len(samples) == 1:
            return make_grid(samples, 1, 1, 0)
        return self.picture(samples, columns, classes)

    def sheet(
        self,
        n: int | None = None,
        *,
        seed: int = 0,
        label: Label = None,
        columns: int | None = None,
        psi: float = 1.0,
        truncate: float | None = None,
    ) -> Image:
        """One picture of samples of seeds seed .. seed+n: images in a grid, points in the plane, text as a page.

        None: as many as fill a sheet; of a model with classes one row a class, with its name. A model that takes inputs
        shows some of its test data, and what it makes of them, if they are on this machine; a classifier of pictures some of
        those that it names a class, in the row of that class.

        Raises:
            UsageError: as of `stream`; or n is given of a model that takes inputs.
            DataError: its data is not here.
        """
        if n is not None:
            require_count("the number of samples", n, 1, MOST_SHOWN)
        if columns is not None:
            require_count("columns", columns, 1, MOST_SHOWN)
        if isinstance(self.game, TakesInputs) and not isinstance(self.game, Samples):
            if n is not None or label is not None:
                raise UsageError(f"{self.name} makes its output from inputs; leave n and label out")
            return make_input_sheet(self.game, self._test_data())
        if isinstance(self.game, Classifies) and not isinstance(self.game, Samples) and n is None and label is None:
            return self._sheet_of_named(self.game)
        rows = len(self.choose_classes(label)) if n is None and columns is None and not isinstance(self.game, Couples) else 0
        if rows > 1 and self.modality is IMAGES:
            return self._sheet_of_classes(label, seed, psi, truncate)
        count = SHOWN[self.modality] if n is None else n
        samples = torch.cat([part for part, _ in self.stream(count, seed, label, psi, truncate)])
        columns = columns or (COLUMNS if n is None and self.modality is IMAGES else None)
        return self.picture(samples, columns, self.named_in_turn(label, count) if columns is None else ())

    def _sheet_of_classes(self, label: Label, seed: int, psi: float, truncate: float | None) -> Image:
        """One row a class, with its name; a column has one seed."""
        chosen = self.choose_classes(label)
        rows = [torch.cat([part for part, _ in self.stream(COLUMNS, seed, c, psi, truncate)]) for c in chosen]
        images, names = as_pictures(torch.cat(rows)), show_names(self.classes)
        return name_rows(make_grid(images, COLUMNS, legible_scale(images.shape[-1])), [names[c] for c in chosen])

    def _sheet_of_named(self, game: Classifies) -> Image:
        """Test pictures in the row of the class that the classifier names, spread over the data."""
        data = self._test_data()
        if data.modality is not IMAGES:
            raise UsageError(f"{self.name} names the classes of {data.modality.unit}: there is no sheet of them")
        x = data.samples(torch.tensor(spread_evenly(len(data), NAMED)))["real"]
        named = classify_chunks(game, x)
        rows = [x[named == c][:COLUMNS] for c in range(len(data.classes))]
        full = [torch.cat([row, torch.ones(COLUMNS - len(row), *x.shape[1:])]) for row in rows]  # white where there are fewer
        return name_rows(make_grid(torch.cat(full), COLUMNS, legible_scale(x.shape[-1])), data.classes)

    def _test_data(self) -> Dataset:
        """The data of its training: the test split, if there is one."""
        source = self.data_source(None, "--data")
        recipe = parse_recipe(self.card["recipe"])
        recipe = replace(recipe, data=replace(recipe.data, source=source, split="test"))
        try:
            return open_data(recipe)
        except DataError:  # it has no such split
            return open_data(replace(recipe, data=replace(recipe.data, split="train")))

    def __repr__(self) -> str:
        what = f", {len(self.classes)} classes" if self.classes else ""
        return f"Model({self.name!r}, trained on {self.card.get('items', 0):,} {self._unit}{what}, on {self.device})"

    @property
    def _unit(self) -> str:
        return self.modality.unit if isinstance(self.game, Samples) else "samples"

    def _has_data(self) -> bool:
        """Whether the data of its training comes with ganvas. Fashion-MNIST does not: it is downloaded."""
        source = split_name(str(self.card["recipe"]["data"]["source"]))[1]
        return source in BUILT_IN and source != "fashion"

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: the sheet. None, if there is none; then it shows the line of `repr`.

        Own pictures are not read for it: there may be many. A model for photographs of any subject shows what it makes of three
        that come with ganvas.
        """
        try:
            sheet = self.sheet() if isinstance(self.game, Samples) or self._has_data() else None
            if sheet is None and isinstance(self.game, TakesInputs) and self.card["recipe"]["data"].get("tile"):
                sheet = draw_photo_sheet(self.game)
            return None if sheet is None else encode_png(sheet, self.provenance("0"))
        except GanvasError:  # it generates nothing, or its data is not here
            return None
