"""What a study found: a table, sentences, a figure, and a sheet of real and generated pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.augmentation.study_plan import ALONE, BOTH, REAL_SHIFTS, UNFILTERED, Arm, Setting, StudyOptions, sweep_arms
from ganvas.media.font import choose_font, show_names
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import INK, PAPER, Picture
from ganvas.media.palette import LINE_COLORS
from ganvas.metrics.confidence import mean_interval
from ganvas.utils.parsing import printable

ROW, LEFT, WIDE, TOP, GAP = 18, 190, 300, 26, 22  # pixels of the figure
COLORS = {"nothing": "#999999", "synthetic": LINE_COLORS[1], "real": LINE_COLORS[2]}


@dataclass(frozen=True)
class Change:
    """A difference of accuracies, the mean over seeds with its 95 % interval: each seed has the same labels in both arms."""

    mean: float
    half: float

    @property
    def verdict(self) -> str:
        """In a word."""
        if abs(self.mean) <= self.half:
            return "no clear difference"
        return "helps" if self.mean > 0 else "hurts"

    def text(self) -> str:
        """In percentage points."""
        return f"{100 * self.mean:+.1f} ± {100 * self.half:.1f}"


@dataclass(frozen=True)
class StudyResult:
    """The cells of a study, and what follows from them."""

    recipe: str
    source: str
    tests: str
    classes: tuple[str, ...]
    settings: tuple[Setting, ...]
    options: StudyOptions
    cells: tuple[dict[str, Any], ...]

    def of(self, setting: Setting) -> list[dict[str, Any]]:
        """The cells of a setting, one for each seed."""
        return [cell for cell in self.cells if cell["setting"] == setting.name]

    def values(self, setting: Setting, arm: Arm, rare: bool = False) -> Tensor:
        """The accuracy [seeds], or the mean recall of the rare classes."""
        if rare:
            return self._recalls(setting, arm)[:, list(setting.rare)].mean(1)
        return torch.tensor([cell["arms"][arm.name]["accuracy"] for cell in self.of(setting)], dtype=torch.float64)

    def change(self, setting: Setting, arm: Arm, than: Arm) -> Change:
        """How much better `arm` is than another one, over the same seeds."""
        mean, half = mean_interval(self.values(setting, arm) - self.values(setting, than))
        return Change(mean, half if half is not None else float("inf"))

    def recall(self, setting: Setting, arm: Arm) -> list[float]:
        """The recall of each class, the mean over seeds."""
        found: list[float] = self._recalls(setting, arm).mean(0).tolist()
        return found

    def _recalls(self, setting: Setting, arm: Arm) -> Tensor:
        """The recall [seeds, classes]."""
        return torch.tensor([cell["arms"][arm.name]["recall"] for cell in self.of(setting)], dtype=torch.float64)

    def to_dict(self) -> dict[str, Any]:
        """For study.json and --json."""
        return {
            "recipe": self.recipe,
            "data": self.source,
            "tests": self.tests,
            "classes": list(self.classes),
            "options": {**vars(self.options), "labels": list(self.options.labels)},
            "settings": [self._describe(setting) for setting in self.settings],
            "cells": list(self.cells),
        }

    def _describe(self, setting: Setting) -> dict[str, Any]:
        arms = {}
        for arm in setting.arms():
            mean, half = mean_interval(self.values(setting, arm))
            change = self.change(setting, arm, setting.rival)
            arms[arm.name] = {
                "accuracy": mean,
                "interval": half,
                "recall": self.recall(setting, arm),
                "against": setting.rival.name,
                "change": change.mean,
                "change_interval": change.half,
            }
        return {"name": setting.name, "counts": list(setting.counts), "wanted": list(setting.wanted), "arms": arms}

    def text(self) -> str:
        """The tables and the sentences."""
        options = self.options
        lines = [
            f"Do generated pictures help a classifier with few labels? {self.recipe} on {self.source}",
            f"accuracy in % on {self.tests}; mean of {options.seeds} seeds ± 95 % interval; each classifier was shown "
            f"{options.shown:,} pictures",
            "",
        ]
        lines += self._table() + self._rare_table() + self._class_table() + self._sweep_table()
        return "\n".join([*lines, *self._sentences()])

    def _table(self) -> list[str]:
        arms = list(dict.fromkeys(arm for setting in self.settings for arm in setting.arms() if arm not in _swept()))
        head = ["labels a class", *(setting.name for setting in self.settings)]
        rows = [[arm.name, *(self._cell(setting, arm) for setting in self.settings)] for arm in arms]
        return [*_align([head, *rows]), ""]

    def _cell(self, setting: Setting, arm: Arm, rare: bool = False) -> str:
        return _spell(self.values(setting, arm, rare)) if arm in setting.arms() else "-"

    def _rare_table(self) -> list[str]:
        found = []
        for setting in self.settings:
            if setting.uneven:
                rows = [[arm.name, self._cell(setting, arm, rare=True)] for arm in setting.arms()]
                found += [*_align([["recall of the rare classes", setting.name], *rows]), ""]
        return found

    def _class_table(self) -> list[str]:
        """The recall of each class, where classes are unequal, or else with the fewest labels."""
        setting = next((each for each in self.settings if each.uneven), self.settings[0])
        arms = (setting.rival, BOTH, REAL_SHIFTS)
        each = {arm: self._recalls(setting, arm) for arm in arms}
        rows = [
            [printable(name, 30), f"{setting.counts[c]:,}", *(_spell(each[arm][:, c]) for arm in arms)]
            for c, name in enumerate(self.classes)
        ]
        return [*_align([["recall of the class", "labels", *(arm.name for arm in arms)], *rows]), ""]

    def _sweep_table(self) -> list[str]:
        found = []
        for setting in self.settings:
            if setting.sweep:
                arms = sorted((BOTH, *sweep_arms()), key=lambda arm: arm.ratio)
                rows = [["0", self._cell(setting, setting.rival)]]
                rows += [[f"{arm.ratio:g}", self._cell(setting, arm)] for arm in arms]
                rows += [["1, not filtered", self._cell(setting, UNFILTERED)]]
                rows += [["samples alone, 1", self._cell(setting, ALONE)]]
                found += [*_align([["samples for each real picture", f"{setting.name} labels a class"], *rows]), ""]
        return found

    def _sentences(self) -> list[str]:
        found = []
        for setting in self.settings:
            change, most = (self.change(setting, arm, setting.rival) for arm in (BOTH, REAL_SHIFTS))
            far = sum(cell["too_far"] is True for cell in self.of(setting))
            short = sum(cell["samples"]["kept"] < sum(setting.most) for cell in self.of(setting))
            text = f"{setting.name} labels a class: adding samples to {setting.rival.name}: {change.text()} points, "
            text += change.verdict
            text += f" (as many more real pictures: {most.text()})"
            text += f"; in {far} of {len(self.of(setting))} seeds the generator is too far to be used" if far else ""
            text += f"; in {short} of {len(self.of(setting))} seeds too few samples passed the filters" if short else ""
            found.append(text)
        return found


def _swept() -> tuple[Arm, ...]:
    return (*sweep_arms(), UNFILTERED, ALONE)


def _spell(values: Tensor) -> str:
    mean, half = mean_interval(values)
    return f"{100 * mean:.1f}" + (f" ± {100 * half:.1f}" if half is not None else "")


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def draw_figure(result: StudyResult) -> Picture:
    """Every arm of every setting: the mean accuracy as a dot, its interval as a line."""
    panels = [(setting, list(setting.arms())) for setting in result.settings]
    height = sum(TOP + GAP + ROW * len(arms) for _, arms in panels)
    canvas = Image.new("RGB", (LEFT + WIDE + 60, height), PAPER)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(11)
    y = 0
    for setting, arms in panels:
        values = [mean_interval(result.values(setting, arm)) for arm in arms]
        low = min(mean - (half or 0) for mean, half in values)
        high = max(mean + (half or 0) for mean, half in values)
        span = max(high - low, 1e-3)

        def place(value: float, low: float = low, span: float = span) -> float:
            return LEFT + WIDE * (value - low) / span

        draw.text((LEFT, y + 6), f"{setting.name} labels a class: accuracy on real pictures", fill=INK, font=font)
        y += TOP
        for arm, (mean, half) in zip(arms, values, strict=True):
            middle, color = y + ROW // 2, COLORS[arm.more]
            draw.text((LEFT - 10, middle), arm.name, fill=INK, font=font, anchor="rm")
            draw.line((LEFT, middle, LEFT + WIDE, middle), fill="#eeeeee")
            draw.line((place(mean - (half or 0)), middle, place(mean + (half or 0)), middle), fill=color, width=3)
            draw.ellipse((place(mean) - 4, middle - 4, place(mean) + 4, middle + 4), fill=color)
            draw.text((LEFT + WIDE + 10, middle), f"{100 * mean:.1f} %", fill=INK, font=font, anchor="lm")
            y += ROW
        y += GAP
    return canvas


def draw_sheet(pictures: Tensor, classes: Sequence[str]) -> Picture:
    """uint8 [8 classes, C, H, W] -> a row for each class: four real pictures, four samples, under their headings."""
    scale = legible_scale(pictures.shape[-1])
    grid = make_grid(pictures, 8, scale)
    names = show_names(classes)
    font = choose_font(names, 12)
    left = 12 + max(int(font.getlength(name)) for name in names)
    canvas = Image.new("RGB", (left + grid.width, 22 + grid.height), PAPER)
    canvas.paste(grid, (left, 22))
    draw = ImageDraw.Draw(canvas)
    for k, head in enumerate(("real: the labels", "generated")):
        draw.text((left + (2 * k + 1) * grid.width // 4, 11), head, fill=INK, font=ImageFont.load_default(12), anchor="mm")
    for c, name in enumerate(names):
        draw.text((left - 6, 22 + (2 * c + 1) * grid.height // (2 * len(names))), name, fill=INK, font=font, anchor="rm")
    return canvas
