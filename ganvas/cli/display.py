"""The terminal during training: how far, how fast, what the discriminator classifies correctly, and what to do at the end."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.telemetry import list_discriminators, name_column
from ganvas.inference.class_names import match_class
from ganvas.training.progress_text import CALLS, ProgressText, format_time_left, title_of
from ganvas.utils.parsing import printable, quote

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ganvas.training.run_folder import Run
    from ganvas.training.trainer import Progress

WIDTH = 32  # characters of a bar


class Display(ProgressText):
    """Shows the progress of a run: live on a terminal, as a line now and then elsewhere, or as JSON rows."""

    def __init__(self, run: Run, *, quiet: bool = False, as_json: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(run)
        self.quiet, self.as_json = quiet, as_json
        # No markup: a folder may be called [/b].
        self.console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False, markup=False, emoji=False)
        self.updated = 0.0  # when the display was last updated
        self.ended = False  # whether the last step was shown
        live = self.console.is_terminal and not quiet and not as_json
        self.live = Live(console=self.console, auto_refresh=False, transient=True) if live else None

    @contextmanager
    def hold_terminal(self) -> Iterator[Display]:
        """Use the terminal for the live display while the run is training."""
        if self.live is None:
            yield self
        else:
            self.live.start()
            try:
                yield self
            finally:
                with suppress(OSError):  # the terminal was closed
                    self.live.stop()

    def update(self, progress: Progress) -> None:
        """Add one step. The display changes at most four times a second on a terminal, every five seconds elsewhere.

        The last step is always shown, and that its results are measured now.
        """
        for event in progress.events:
            print(event, file=sys.stderr)
        if self.ended:
            return
        self.add(progress)
        self.ended = progress.items >= progress.total
        pause = 0.25 if self.live else 5.0
        if self.quiet or (not self.ended and time.monotonic() - self.updated < pause):
            return
        self.updated = time.monotonic()
        if self.as_json:
            print(json.dumps(self.make_row(progress)), flush=True)
        elif self.live:
            self.live.update(self.make_panel(progress), refresh=True)
        else:
            self.console.print(self.make_line(progress), soft_wrap=True)
        if self.ended and not self.as_json:
            print("trained; now the results are measured and drawn, which takes some seconds more", file=sys.stderr)

    def make_row(self, progress: Progress) -> dict[str, Any]:
        """One row of --json: how far, how fast, the smoothed values, which of them are loss terms, the balance in words."""
        facts: dict[str, Any] = {"items": progress.items, "total": progress.total, "images_per_second": progress.rate}
        facts |= {"seconds": progress.seconds, "terms": list(self.terms), "reference": self.reference}
        balances = [words for _, _, words in self.describe_balances()]
        return {**facts, "balance": "; ".join(balances), **self.smooth}

    def make_panel(self, progress: Progress) -> RenderableType:
        """The live display."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        rows = Table.grid(padding=(0, 1))
        share = progress.items / progress.total
        speed = f"{share:4.0%}  {progress.rate:,.0f} {self.unit}/s  {format_time_left(progress)} left"
        rows.add_row(f"{progress.items:,} of {progress.total:,} {self.unit}", ProgressBar(1.0, share, width=WIDTH), speed)
        for name in list_discriminators(self.smooth):
            for note, what, color in CALLS:
                if (value := self.smooth.get(name_column(note, name))) is not None:
                    bar = ProgressBar(1.0, value, width=WIDTH, complete_style=color, finished_style=color)
                    rows.add_row(f"{title_of(name)}: {what}", bar, f"{value:4.0%} called real")
        for title, share, words in self.describe_balances():
            bar = ProgressBar(1.0, share, width=WIDTH, complete_style="yellow", finished_style="red")
            rows.add_row(title, bar, words)
        if "accuracy" in self.smooth:
            value = self.smooth["accuracy"]
            rows.add_row("accuracy", ProgressBar(1.0, value, width=WIDTH), f"{value:.1%}")
        outer = Table.grid()
        outer.add_row(Text(f"{self.run.recipe.name}  {self.run.folder}", style="bold"))
        outer.add_row(rows)
        outer.add_row(f"losses: {self.format_losses()}")
        return outer

    def show_results(self) -> None:
        """Print the paths of all results and the next commands."""
        if self.quiet:
            return
        folder, result = self.run.folder, self.run.result
        if self.as_json:
            print(json.dumps({"run": str(folder), **result}), flush=True)
            return
        console, unit = self.console, self.unit
        speed = f"{result['images_per_second']:,.0f} {unit}/s"
        console.print(f"\n{result['items']:,} {unit} in {result['seconds']:.0f} s ({speed})", style="bold")
        if result["dropped"]:
            log = printable(folder / "log.jsonl")
            console.print(f"{result['dropped']} steps were left out: their losses were not finite (see {log})")
        if "test_accuracy" in result:
            console.print(f"accuracy on the test set: {result['test_accuracy']:.2%}")
        if "test_nats_per_symbol" in result:
            console.print(f"nats per symbol on held-out lines: {result['test_nats_per_symbol']:.3f}")
        if "test_loss" in result:
            parts = " + ".join(
                f"{name[5:]} {result[name]:.2f}"
                for name in result
                if name.startswith("test_") and name not in ("test_loss", "test_accuracy")
            )
            console.print(f"nats per image on the test set: {result['test_loss']:.2f} ({parts})")
        if outputs := result.get("outputs"):
            console.print(f"held-out outputs: {_describe_outputs(outputs)}")
        sheet, same = ("inputs and outputs", "inputs") if self.takes_inputs else ("samples", "noise")
        for name, what in (
            ("sheet.png", sheet),
            ("learning.gif", f"the same {same} during training"),
            ("model.safetensors", "the model"),
        ):
            if (folder / name).exists():
                console.print(f"  {what:30} {printable(folder / name)}", soft_wrap=True)
        console.print("\nnext:")
        for command in self.next_commands(folder):
            console.print(f"  {printable(command, 1000)}", style="cyan", soft_wrap=True)

    @property
    def takes_inputs(self) -> bool:
        """Whether the game has data as its input, instead of noise."""
        from ganvas.core.capabilities import TakesInputs
        from ganvas.games import GAMES

        return issubclass(GAMES[self.run.recipe.game], TakesInputs)

    def show_diagnosis(self) -> None:
        """Print the findings of the doctor."""
        if self.quiet or self.as_json:
            return
        from ganvas.training.doctor import diagnose, format_findings

        self.console.print(f"\ndoctor: {format_findings(diagnose(self.run.folder))}", soft_wrap=True)

    def next_commands(self, folder: Path) -> list[str]:
        """Three useful commands for the model in `folder`: by what its game can do and by the kind of its data."""
        from ganvas.core.capabilities import Animates, Classifies, Conditional, Encodes, Inpaints, Samples, TakesInputs
        from ganvas.core.modality import IMAGES, TEXT, VOXELS
        from ganvas.games import GAMES

        recipe, data, place = self.run.recipe, self.run.data, quote(folder)
        game = GAMES[recipe.game]
        if issubclass(game, TakesInputs):
            takes_maps = "map" in getattr(game, "takes", ())
            directions: tuple[str, ...] = getattr(game, "directions", ())
            names: tuple[str, ...] = getattr(recipe.config, "domains", ()) or directions
            to = f" --to {quote(names[-1])}" if len(directions) > 1 else ""
            use = f"ganvas paint {place} map.png --seed 3" if takes_maps else f"ganvas translate {place} photo.png{to}"
            if issubclass(game, Animates):
                use = f"ganvas animate {place} picture.png --driving nod"
            if issubclass(game, Inpaints):
                use = f"ganvas inpaint {place} photo.png --mask mask.png"
            return [use, f"ganvas sample {place} --out sheet.png", f"ganvas eval {place}"]
        if not issubclass(game, Samples):
            pictures = issubclass(game, Classifies) and data.modality is IMAGES
            first = f"ganvas classify {place} picture.png" if pictures else f"ganvas doctor {place}"
            return [first, "ganvas recipes", f"ganvas bench {recipe.name}"]
        if data.modality is TEXT:
            cool = f"ganvas sample {place} -n 20 --temperature 0.7"
            return [f"ganvas sample {place} -n 20 --seed 3", cool, f"ganvas eval {place}"]
        classes = data.classes if issubclass(game, Conditional) else ()
        one, two = _label_option(classes, 7), _label_option(classes, 3, 8)
        sample = f"ganvas sample {place} -n 64{one} --seed 3 --out sheet.png"
        if data.modality is VOXELS:
            return [sample, f"ganvas sample {place} --out turning.gif", f"ganvas sample {place}{one} --out solid.stl"]
        walk = f"ganvas interpolate {place} --seeds 1,5,9{two} --out walk.gif"
        last = f"ganvas eval {place}"
        if issubclass(game, Encodes):
            last = f"ganvas map {place}" if recipe.config.latent_dim == 2 else f"ganvas reconstruct {place}"
        return [sample, walk if data.modality is IMAGES else f"ganvas sample {place} -n 10000 --out points.npz", last]


def _describe_outputs(outputs: Mapping[str, Any]) -> str:
    """The measure of held-out outputs in result.json, its floor and its baseline: mae54 0.0588 (copied input 0.063)."""
    beside = [f"floor {outputs['floor']:.3g}"] if "floor" in outputs else []
    if trivial := outputs.get("trivial"):
        beside.append(f"{trivial['name']} {trivial['value']:.3g}")
    return f"{outputs['name']} {outputs['value']:.3g}" + (f" ({', '.join(beside)})" if beside else "")


def _label_option(classes: Sequence[str], *wanted: int) -> str:
    """The option for these classes, or for the last ones if there are fewer; "" without classes."""
    if not classes:
        return ""
    numbers = wanted if max(wanted) < len(classes) else range(len(classes))[-len(wanted) :]
    return " --label " + shlex.quote(",".join(_spell_class(i, classes) for i in numbers))


def _spell_class(number: int, classes: Sequence[str]) -> str:
    """The name of a class as --label takes it; its number, #3, if the name is a list, "all" or a number of another class."""
    name = classes[number]
    plain = "," not in name and name != "all" and match_class(name, classes) == (number, "")
    return name if plain else f"#{number}"
