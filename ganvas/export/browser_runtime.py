"""The program that runs a model in a page: onnxruntime-web for one thread of a CPU, shipped compressed with its licence.

Version 1.30.0 of the npm package `onnxruntime-web` (MIT, Microsoft), taken out of its archive by `tools/embed_runtime.py`.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import lzma
import re
from pathlib import Path

from ganvas.errors import DataError

FOLDER = Path(__file__).parent / "runtime"
VERSION = "1.30.0"
SCRIPT = ("onnxruntime.mjs.xz", "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90")
PROGRAM = ("onnxruntime.wasm.xz", "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2")
MOST = 64 << 20  # bytes, unpacked
EXPORTS = re.compile(r"export\s*\{([^{}]*)\}\s*;?\s*(//# sourceMappingURL=\S*)?\s*$")


def read_script() -> str:
    """The JavaScript part as a script for a page; it puts its names into the global object `ort`.

    Raises:
        DataError: the file is missing or damaged.
    """
    text = _unpack(*SCRIPT).decode()
    found = EXPORTS.search(text)
    if not found:
        raise DataError(f"{FOLDER / SCRIPT[0]}: expected a module with exports at its end; install ganvas again")
    pairs = (part.strip().split(" as ") for part in found[1].split(","))
    names = ", ".join(f'"{public}": {inner}' for inner, public in pairs)
    return f"{text[: found.start()]}globalThis.ort = {{ {names} }};\n"


@functools.cache
def read_program() -> bytes:
    """The WebAssembly part, compressed by gzip, which browsers unpack.

    Raises:
        DataError: the file is missing or damaged.
    """
    return gzip.compress(_unpack(*PROGRAM), 9, mtime=0)


def _unpack(name: str, sha256: str) -> bytes:
    file = FOLDER / name
    try:
        with lzma.open(file) as packed:
            data = packed.read(MOST)
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise DataError(f"{file}: it is missing or damaged ({type(error).__name__}); install ganvas again") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DataError(f"{file}: its SHA-256 is not the one it was shipped with; install ganvas again")
    return data
