"""The terminal while a game is played: who is winning, how fast, how long still."""

from __future__ import annotations

import json
import math
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.engine.balance import HIGH, Balance

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ganvas.training.run_folder import Run
    from ganvas.training.trainer import Progress

LEVEL = 0.55  # skill of D up to which it only guesses
SIDES = (("verdict_real", "reals"), ("verdict_fake", "fakes"))


class Display:
    """Reads the progress of a run and shows it: live on a terminal, a line now and then elsewhere, or JSON rows."""

    def __init__(self, run: Run, *, quiet: bool = False, as_json: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        self.run, self.quiet, self.as_json = run, quiet, as_json
        self.console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
        self.smooth: dict[str, float] = {}
        self.terms: dict[str, None] = {}  # every loss term seen so far: a lazy penalty is not in every step
        self.shown = 0.0
        live = self.console.is_terminal and not quiet and not as_json
        self.live = Live(console=self.console, auto_refresh=False, transient=True) if live else None
        rules = getattr(run.recipe.config, "rules", None)
        self.reference = (
            f" ({rules.scoring.equilibrium_text} = {rules.scoring.equilibrium:.2f} if D only guesses)" if rules else ""
        )

    @contextmanager
    def running(self) -> Iterator[Display]:
        """Hold the terminal while the run goes on."""
        if self.live is None:
            yield self
        else:
            with self.live:
                yield self

    def update(self, progress: Progress) -> None:
        """Take in one step; draw at most four times a second on a terminal, every five seconds elsewhere."""
        for event in progress.events:
            print(event, file=sys.stderr)
        self.terms |= dict.fromkeys(progress.terms)
        for name, value in progress.values.items():
            if not math.isfinite(number := float(value)):
                continue  # one such value would stay in the mean for ever
            self.smooth[name] = number if name not in self.smooth else 0.95 * self.smooth[name] + 0.05 * number
        pause = 0.25 if self.live else 5.0
        if self.quiet or time.monotonic() - self.shown < pause:
            return
        self.shown = time.monotonic()
        if self.as_json:
            print(json.dumps(self.row(progress)), flush=True)
        elif self.live:
            self.live.update(self.drawing(progress), refresh=True)
        else:
            self.console.print(self.line(progress), soft_wrap=True)

    def row(self, progress: Progress) -> dict[str, Any]:
        """One row of --json: how far, how fast, the smoothed values, which of them are losses, the balance in words."""
        facts: dict[str, Any] = {"items": progress.items, "total": progress.total, "images_per_second": progress.rate}
        facts |= {"seconds": progress.seconds, "terms": list(self.terms), "reference": self.reference.strip(" ()")}
        return {**facts, "balance": describe_balance(self.smooth)[1] if "skill" in self.smooth else "", **self.smooth}

    def losses(self) -> str:
        """Each loss term; the loss of D with its value at the optimum."""
        told = (
            f"{name} {self.smooth[name]:.3g}" + (self.reference if name == "D" or name.startswith("D_") else "")
            for name in self.terms
            if name in self.smooth
        )
        return " · ".join(told)

    def line(self, progress: Progress) -> str:
        """One line of plain text."""
        verdicts = [f"{name} {self.smooth[key]:.0%} real" for key, name in SIDES if key in self.smooth]
        other = [f"{key} {self.smooth[key]:.1%}" for key in ("accuracy",) if key in self.smooth]
        other += [f"balance: {describe_balance(self.smooth)[1]}"] if "skill" in self.smooth else []
        counts = f"{progress.items:,} of {progress.total:,} images, {progress.rate:,.0f}/s, {_format_time_left(progress)} left"
        return " | ".join([counts, *verdicts, *other, self.losses()])

    def drawing(self, progress: Progress) -> RenderableType:
        """The live display."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        rows = Table.grid(padding=(0, 1))
        share = progress.items / progress.total
        pace = f"{share:4.0%}  {progress.rate:,.0f} images/s  {_format_time_left(progress)} left"
        rows.add_row(f"{progress.items:,} of {progress.total:,} images", ProgressBar(1.0, share, width=32), pace)
        for key, name in SIDES:
            if key in self.smooth:
                style = "green" if key == "verdict_real" else "magenta"
                bar = ProgressBar(1.0, self.smooth[key], width=32, complete_style=style, finished_style=style)
                rows.add_row(f"D calls {name}", bar, f"{self.smooth[key]:4.0%} real")
        if "skill" in self.smooth:
            share, words = describe_balance(self.smooth)
            rows.add_row("balance", ProgressBar(1.0, share, width=32, complete_style="yellow", finished_style="red"), words)
        if "accuracy" in self.smooth:
            rows.add_row("accuracy", ProgressBar(1.0, self.smooth["accuracy"], width=32), f"{self.smooth['accuracy']:.1%}")
        outer = Table.grid()
        outer.add_row(Text(f"{self.run.recipe.name}  {self.run.folder}", style="bold"))
        outer.add_row(rows)
        outer.add_row(f"losses: {self.losses()}")
        return outer

    def show_results(self) -> None:
        """Print the paths of all results and the next commands."""
        if self.quiet:
            return
        folder, result = self.run.folder, self.run.result
        if self.as_json:
            print(json.dumps({"run": str(folder), **result}), flush=True)
            return
        console = self.console
        console.print(
            f"\n{result['items']:,} images in {result['seconds']:.0f} s ({result['images_per_second']:,.0f} images/s)",
            style="bold",
        )
        if result["dropped"]:
            console.print(f"{result['dropped']} steps were left out: their losses were not finite (see {folder}/log.jsonl)")
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
        for name, what in (
            ("sheet.png", "samples"),
            ("learning.gif", "the same noise during training"),
            ("model.safetensors", "the model"),
        ):
            if (folder / name).exists():
                console.print(f"  {what:25} {folder / name}", soft_wrap=True)
        console.print("\nnext:")
        for command in self.next_commands(folder):
            console.print(f"  {command}", style="cyan", soft_wrap=True)

    def show_diagnosis(self) -> None:
        """What the doctor says of the run."""
        if self.quiet or self.as_json:
            return
        from ganvas.training.doctor import diagnose, format_findings

        self.console.print(f"\ndoctor: {format_findings(diagnose(self.run.folder))}", soft_wrap=True)

    def next_commands(self, folder: Path) -> list[str]:
        """Three commands worth typing now."""
        from ganvas.core.capabilities import Encodes
        from ganvas.games import GAMES

        recipe, place = self.run.recipe, shlex.quote(str(folder))
        if self.run.data.is_text:
            cool = f"ganvas sample {place} -n 20 --temperature 0.7"
            return [f"ganvas sample {place} -n 20 --seed 3", cool, f"ganvas eval {place}"]
        images = hasattr(recipe.config, "resolution") or len(recipe.config.shape) == 3
        if recipe.game == "classifier":
            return ["ganvas train cgan-mnist", "ganvas recipes", f"ganvas bench {recipe.name}"]
        classes = self.run.data.classes if hasattr(recipe.config, "classes") else ()
        one, two = _label_option(classes, 7), _label_option(classes, 3, 8)
        sample = f"ganvas sample {place} -n 64{one} --seed 3 --out sheet.png"
        if self.run.data.fields["real"].ndim == 5:
            return [sample, f"ganvas sample {place} --out turning.gif", f"ganvas sample {place}{one} --out solid.stl"]
        walk = f"ganvas interpolate {place} --seeds 1,5,9{two} --out walk.gif"
        last = "ganvas recipes"
        if issubclass(GAMES[recipe.game], Encodes):
            last = f"ganvas map {place}" if recipe.config.latent_dim == 2 else f"ganvas reconstruct {place}"
        return [sample, walk if images else f"ganvas sample {place} -n 10000 --out points.npz", last]


def describe_balance(seen: Mapping[str, float]) -> tuple[float, str]:
    """The skill of D from 0 (guesses) to 1 (never wrong), and the state of the balance in words."""
    share = max(0.0, 2 * seen["skill"] - 1)
    words = "D guesses" if seen["skill"] < LEVEL else "level" if seen["skill"] <= HIGH else "D is far ahead"
    state = Balance(lead=seen.get("lead", 0.0), augment=seen.get("augment", 0.0))
    held = [state.handles()] if state.rate < 0.9 else []
    held += [f"augmentation {state.augment:.0%}"] if state.augment > 0.02 else []
    return share, ", ".join([f"{words} ({seen['skill']:.0%} right)", *held])


def _label_option(classes: Sequence[str], *wanted: int) -> str:
    """The option that asks for these classes, or for the last ones where there are fewer; "" without classes."""
    if not classes:
        return ""
    numbers = wanted if max(wanted) < len(classes) else range(len(classes))[-len(wanted) :]
    return " --label " + shlex.quote(",".join(str(i) if "," in classes[i] else classes[i] for i in numbers))


def _format_time_left(progress: Progress) -> str:
    seconds: Any = int((progress.total - progress.items) / max(progress.rate, 1e-9))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
