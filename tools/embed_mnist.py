"""Write ganvas/data/builtin/embedded/mnist.xz, the complete MNIST in one lossless file, from the original IDX files.

Usage: python tools/embed_mnist.py [FOLDER WITH THE FOUR .gz FILES]; takes about 80 seconds. Prints the checksums for
ganvas/data/builtin/mnist.py and ganvas/data/builtin/embedded/README.md.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = {"train-images-idx3-ubyte": 16, "t10k-images-idx3-ubyte": 16, "train-labels-idx1-ubyte": 8, "t10k-labels-idx1-ubyte": 8}
# Pixels are bytes without alignment or text-like context: lc = lp = pb = 0 saves half a per cent over the preset.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 0, "pb": 0, "dict_size": 64 << 20}]


def main() -> None:
    """Join the four bodies (headers cut), compress, and write them beside the package."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "datasets" / "mnist"
    bodies = [gzip.decompress((folder / f"{name}.gz").read_bytes())[header:] for name, header in PARTS.items()]
    packed = lzma.compress(b"".join(bodies), format=lzma.FORMAT_XZ, check=lzma.CHECK_SHA256, filters=FILTERS)
    target = ROOT / "ganvas" / "data" / "builtin" / "embedded" / "mnist.xz"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(packed)
    for name, content in [(target.name, packed), *zip(PARTS, bodies, strict=True)]:
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>10,}  {name}")


if __name__ == "__main__":
    main()
