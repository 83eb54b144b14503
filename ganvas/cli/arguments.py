"""What several commands share: the spelling of settings, classes and seeds, and groups of options, each written once."""

from __future__ import annotations

import json as json_
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from ganvas.errors import UsageError
from ganvas.evaluation import measure_names
from ganvas.utils.parsing import parse_numbers
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

PAUSE = 5.0  # seconds between two lines about the progress
STOPPED = "stopped before its end: the best so far"  # what Ctrl-C left of a search

if TYPE_CHECKING:
    from ganvas.inference.codes import Codes
    from ganvas.inference.loaded_game import LoadedGame


def parse_setting(text: str) -> tuple[str, str]:
    """FIELD=VALUE -> the field and the value."""
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set expects FIELD=VALUE such as train.learning_rate=1e-3, got {text!r}")
    return path.strip(), value.strip()


def parse_settings(texts: Sequence[str] | None) -> dict[str, str]:
    """All values of --set by field. Raises: UsageError: a field is set twice, as other options must not be either."""
    found: dict[str, str] = {}
    for path, value in map(parse_setting, texts or ()):
        if path in found:
            raise UsageError(f"--set {path} is given twice, as {found[path]!r} and {value!r}; give one of them")
        found[path] = value
    return found


def parse_labels(text: str | None) -> str | list[str] | None:
    """7, dog or all stays as it is; 3,8 becomes a list."""
    return text.split(",") if text and "," in text else text


def parse_places(text: str, model: LoadedGame) -> list[int] | Codes:
    """Seeds as above, or the codes of a file: codes.npz, or the one of a name in it: codes.npz#seven."""
    return model.load_codes(text) if names_codes(text) else parse_numbers(text)


def names_codes(text: str) -> bool:
    """Whether a text names a file of codes instead of seeds."""
    return re.search(r"\.npz(#.*)?$", text, re.IGNORECASE) is not None


def parse_terms(text: str, model: LoadedGame) -> list[tuple[int, str | None, list[int] | Codes]]:
    """ "1,2 - 4,5 + 7:1-3" -> for each term its sign, its class (None: not given) and its seeds, or codes as above."""
    parts = re.split(r"\s+([+-])\s+", text.strip())
    signs = [1, *(1 if sign == "+" else -1 for sign in parts[1::2])]
    found: list[tuple[int, str | None, list[int] | Codes]] = []
    for sign, part in zip(signs, parts[::2], strict=True):
        label, colon, seeds = ("", "", part) if names_codes(part) else part.rpartition(":")
        found.append((sign, label.strip() if colon else None, parse_places(seeds.strip(), model)))
    return found


HOW = Group("How it runs")
Flag = Annotated[bool, Parameter(negative="", group=HOW)]
Quiet = Annotated[Flag, Parameter(help="Print nothing but errors.")]
Json = Annotated[Flag, Parameter(help="Print JSON on standard output.")]
Device = Annotated[str, Parameter(group=HOW, help="auto (a GPU if there is one), cpu, cuda, cuda:1, ...")]
RunPath = Annotated[Path, Parameter(help="A run folder, a bundle, or the name of a model that comes with ganvas.")]
LABELS = Parameter(
    name=["--label", "--labels"], help="A class by name or number (#7: always a number), several as 3,7, or all."
)
Label = Annotated[str | None, LABELS]
Latents = Annotated[
    str | None,
    Parameter(help="In place of seeds: codes.npz of `ganvas invert`, or codes.npz#NAME, the one of this name."),
]
Temperature = Annotated[Real, Parameter(help="For text models: below 1, lines are more typical and less varied.")]
METRICS_HELP = (
    f"Some of these, separated by commas: {', '.join(measure_names.SAMPLES)}; of text: {', '.join(measure_names.TEXT)}. "
    "The default suits the data."
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What a command prints."""

    quiet: Quiet = False
    json: Json = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Running(Reporting):
    """The same for a command that computes: also the device."""

    device: Device = "auto"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Writing(Running):
    """The same for a command that writes one file: also its path."""

    out: Annotated[
        Path | None, Parameter(help="The file to write. The default is a new name in this folder: nothing is replaced.")
    ] = None

    def path(self, name: str) -> Path:
        """The file to write; without --out it is `name`, as of `free_path`."""
        return free_path(self.out, name)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which samples of a model: the options of `Model.sample`."""

    seed: Annotated[Whole, Parameter(help="Of the first sample; sample i has seed SEED + i, on any device the same.")] = 0
    label: Label = None
    psi: Annotated[Real, Parameter(help="Truncation of the styles of a stylegan model: nearer to the mean below 1.")] = 1.0
    truncate: Annotated[
        Real | None,
        Parameter(help="Truncation of the noise of other models: values beyond +-TRUNCATE are drawn again."),
    ] = None

    def options(self) -> dict[str, Any]:
        """The keyword arguments of `Model.sample`."""
        return {"seed": self.seed, "label": parse_labels(self.label), "psi": self.psi, "truncate": self.truncate}

    def refuse_seeds(self, count: int | None) -> None:
        """Raises: UsageError: options of seeds, beside codes in their place."""
        given = {"--seed": self.seed != 0, "-n": count is not None, "--truncate": self.truncate is not None}
        if wrong := [name for name, is_given in given.items() if is_given]:
            raise UsageError(f"--latents: its codes take the place of seeds; leave {wrong[0]} out")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Measuring:
    """What is measured, and on what: the options that `evaluate` and `compare` share."""

    metrics: Annotated[str | None, Parameter(help=METRICS_HELP)] = None
    samples: Annotated[Whole, Parameter(help="Number of samples of each sample set.")] = 10_000
    seed: Annotated[Whole, Parameter(help="Of the first sample.")] = 0
    split: Annotated[
        Literal["train", "test"] | None,
        Parameter(help="Split of the real data; the default is test if it exists. Tune on train, report on test."),
    ] = None

    def options(self) -> dict[str, Any]:
        """The keyword arguments of `evaluate` and `compare`."""
        metrics = [name.strip() for name in (self.metrics or "").split(",") if name.strip()] or None
        return {"metrics": metrics, "samples": self.samples, "seed": self.seed, "split": self.split}


@contextmanager
def spell_options(**options: str) -> Iterator[None]:
    """Errors about these settings name the option that the user has typed: spell_options(side="--side")."""
    try:
        yield
    except UsageError as error:
        name, colon, rest = str(error).partition(":")
        if colon and name in options:
            raise UsageError(f"{options[name]}:{rest}") from None
        raise


def free_path(out: Path | None, name: str) -> Path:
    """The file to write: `out` if it was given, else `name`, or name-2, name-3, ... if such a file exists.

    Only a file that the command names is replaced.
    """
    if out is not None:
        return out
    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(f"{Path(name).stem}-{number}{Path(name).suffix}")
    return path


def report_path(path: Path, reporting: Reporting) -> None:
    """Print where something was saved."""
    if reporting.json:
        print(json_.dumps({"out": str(path)}))
    elif not reporting.quiet:
        print(path)


def report_doubts(
    warnings: Sequence[str], skipped: Sequence[tuple[str, str]], most: int | None = None, *, quiet: bool = False
) -> None:
    """Print what is doubtful about data, and what was skipped (at most `most` files), to standard error, a line each.

    `quiet`: only the skipped files, which are errors.
    """
    lines = [] if quiet else [f"warning: {text}" for text in warnings]
    lines += [f"skipped {name}: {reason}" for name, reason in skipped[:most]]
    if most is not None and len(skipped) > most:
        lines.append(f"skipped {len(skipped) - most:,} more; `ganvas data` lists them all")
    for line in lines:
        print(line, file=sys.stderr)


def make_teller(running: Running) -> Callable[[str], None]:
    """A function that prints a line about the progress to standard error, if it has printed none for some seconds."""
    told = time.monotonic()

    def tell(line: str) -> None:
        nonlocal told
        if not running.quiet and not running.json and time.monotonic() - told > PAUSE:
            told = time.monotonic()
            print(line, file=sys.stderr)

    return tell


@contextmanager
def tell_doubts(quiet: bool) -> Iterator[None]:
    """Print what is doubtful about the data that is opened inside, each sentence once; nothing if `quiet`."""
    from ganvas.data.open import hear_doubts

    told: set[str] = set()

    def tell(warnings: Sequence[str]) -> None:
        report_doubts([text for text in warnings if text not in told], (), quiet=quiet)
        told.update(warnings)

    with hear_doubts(tell):
        yield
