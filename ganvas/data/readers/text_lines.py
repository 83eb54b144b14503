"""Read text with one item on each line, from a file or from the package, and its statistics.

A line is stripped of spaces at both ends and normalized (Unicode NFC). Empty lines, lines of more than `LONGEST` symbols, and
lines with a symbol that is not printable or not among the `SYMBOLS` most frequent ones are skipped and reported.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganvas.data.encodings import decode_text
from ganvas.data.order import spread_evenly
from ganvas.data.table import Skipped, TableDataset, fingerprint
from ganvas.errors import DataError
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import printable
from ganvas.utils.seeds import mix
from ganvas.utils.tokens import encode_lines

LONGEST = 32  # symbols of a line
SYMBOLS = 200  # of an alphabet
MAX_BYTES = 64 << 20
MAX_LINES = 1_000_000
MAX_TOKENS = 16_000_000  # lines times the length of the longest one: the table of all symbols, of 8 bytes each
ENDINGS = (".txt",)
TEST = 10  # one of so many items of a built-in list is in the test split

EMBEDDED = Path(__file__).parents[1] / "builtin" / "embedded"
SHA256 = {  # of the built-in lists; see embedded/README.md for sources and licences
    "names": "fdbbbe30a05f3cc27112622c76e6bbcde65b96596d1dc7f3e5ac5ef58e979681",
    "words": "18586c092f641ecd1a471dd6ab35618ab69f0aa7483486424f7caf0996d06259",
}


@dataclass(frozen=True)
class Lines:
    """Usable lines in the order of the file, and the skipped ones."""

    lines: tuple[str, ...]
    alphabet: str
    skipped: tuple[Skipped, ...] = ()


def text_source(name: str, split: str) -> TableDataset:
    """The built-in list `name`: one item in ten, by its hash, is in the test split; no item is in both splits."""
    every = _read_embedded(name)
    alphabet = "".join(sorted(set("".join(every))))
    chosen = [item for item in every if (mix(name, item) % TEST == 0) == (split == "test")]
    fields = {"text": encode_lines(chosen, alphabet, max(map(len, every)))}
    print_, vocabulary = fingerprint(fields), len(alphabet) + 1
    return TableDataset(name, fields, fingerprint=print_, alphabet=alphabet, vocabulary=vocabulary, splits=("train", "test"))


def file_source(path: Path) -> TableDataset:
    """The lines of a text file. Raises: DataError: as `read`."""
    found = read(path)
    fields = {"text": encode_lines(found.lines, found.alphabet, max(map(len, found.lines)))}
    print_ = fingerprint(fields, tuple(found.alphabet))
    vocabulary = len(found.alphabet) + 1
    return TableDataset(
        printable(path), fields, skipped=found.skipped, fingerprint=print_, alphabet=found.alphabet, vocabulary=vocabulary
    )


def _read_embedded(name: str) -> list[str]:
    path = EMBEDDED / f"{name}.txt"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; install ganvas again") from None
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DataError(f"{path}: its SHA-256 is not {SHA256[name]}; install ganvas again")
    return content.decode("ascii").split()


def read(path: Path) -> Lines:
    """The usable lines of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

    Raises:
        DataError: it is too large, in another encoding, or nothing in it can be used.
    """
    what = printable(path)
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{what}: {error.strerror or error}; make it readable") from None
    if len(content) > MAX_BYTES:
        raise DataError(f"{what}: expected at most {MAX_BYTES:,} bytes of text; cut it into parts")
    if (count := content.count(b"\n") + content.count(b"\r")) > 2 * MAX_LINES:
        raise DataError(f"{what}: {count:,} ends of lines; expected at most {MAX_LINES:,} lines; cut it into parts")
    decoded = decode_text(content, what)
    found = keep_usable(decoded.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n"))
    longest = max(map(len, found.lines), default=0)
    if len(found.lines) > MAX_LINES or len(found.lines) * longest > MAX_TOKENS:
        limit = f"at most {MAX_LINES:,} lines, and {MAX_TOKENS:,} for lines times the longest one"
        raise DataError(f"{what}: {len(found.lines):,} lines of up to {longest} symbols; expected {limit}; cut it into parts")
    if not found.lines:
        reasons = "; ".join(f"{name} {reason}" for name, reason in found.skipped) or "no line"
        raise DataError(f"{what}: expected one item a line, of 1 to {LONGEST} symbols; found {reasons}")
    return found


def keep_usable(lines: Iterable[str]) -> Lines:
    """The usable lines, their sorted alphabet, and the number of other lines for each reason."""
    found = [_compose(line) for line in lines]
    counts = Counter(symbol for line in found for symbol in line if symbol.isprintable())
    known = {symbol for symbol, _ in counts.most_common(SYMBOLS)}
    kept: list[str] = []
    wrong: dict[str, list[int]] = {}
    for number, line in enumerate(found, 1):
        if (reason := _find_fault(line, known)) is None:
            kept.append(line)
        else:
            wrong.setdefault(reason, []).append(number)
    skipped = tuple(Skipped(_describe_numbers(numbers), reason) for reason, numbers in wrong.items())
    return Lines(tuple(kept), "".join(sorted(set("".join(kept)))), skipped)


def _compose(line: str) -> str:
    """A line in NFC, without spaces at both ends; a line that stays too long in any form is only cut.

    NFC makes a line at most four times shorter. The time it takes grows with the square of the number of combining marks.
    """
    line = line.strip()
    if len(line) > 4 * LONGEST:
        return line[: 4 * LONGEST + 1]
    return line if line.isascii() else unicodedata.normalize("NFC", line).strip()


def _find_fault(line: str, known: set[str]) -> str | None:
    if not line:
        return "empty"
    if len(line) > LONGEST:
        return f"too long: more than {LONGEST} symbols"
    if not line.isprintable():
        return "holds a symbol that cannot be printed"
    if set(line) - known:
        return f"holds a symbol that is not among the {SYMBOLS} commonest"
    return None


def _describe_numbers(numbers: Sequence[int]) -> str:
    """ "line 3", or "12 lines (3, 8, 9, ...)"."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"{len(numbers):,} lines ({', '.join(map(str, numbers[:5]))}{', ...' if len(numbers) > 5 else ''})"


@dataclass(frozen=True)
class TextFacts:
    """Numbers about lines of text."""

    shortest: int  # symbols in a line
    median: int
    longest: int
    alphabet: str
    commonest: tuple[str, ...]  # symbols, the commonest first
    duplicates: int  # lines equal to an earlier one
    examples: tuple[str, ...]  # the commonest of those

    def lines(self) -> list[str]:
        """The numbers as lines of text."""
        text = [
            f"symbols a line: {self.shortest} to {self.longest}, median {self.median}",
            f"alphabet: {len(self.alphabet)} symbols; the commonest: {' '.join(map(repr, self.commonest))}",
        ]
        if self.duplicates:
            text.append(f"duplicates: {self.duplicates:,}, as {', '.join(map(repr, self.examples))}")
        return text


def describe_lines(lines: Sequence[str], alphabet: str) -> TextFacts:
    """The statistics of the lines."""
    lengths, twice = sorted(map(len, lines)), Counter(lines)
    commonest = tuple(symbol for symbol, _ in Counter("".join(lines)).most_common(10))
    examples = tuple(line for line, count in twice.most_common(3) if count > 1)
    middle = lengths[len(lengths) // 2]
    return TextFacts(lengths[0], middle, lengths[-1], alphabet, commonest, len(lines) - len(twice), examples)


def pick_evenly(lines: Sequence[str], count: int) -> list[str]:
    """Up to `count` evenly spaced lines."""
    return [lines[i] for i in spread_evenly(len(lines), count)]
