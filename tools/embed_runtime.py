"""Write the program that runs exported pages, ganvas/export/runtime/: onnxruntime-web for one thread of a CPU, compressed.

Usage: npm pack onnxruntime-web@1.30.0; python tools/embed_runtime.py onnxruntime-web-1.30.0.tgz. Takes about a minute. Prints
the checksums for ganvas/export/browser_runtime.py. The licence beside the files is that of onnxruntime.
"""

from __future__ import annotations

import hashlib
import lzma
import sys
import tarfile
from pathlib import Path

TARBALL = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
RUNTIME = Path(__file__).parents[1] / "ganvas" / "export" / "runtime"
PARTS = {
    "onnxruntime.mjs.xz": "package/dist/ort.wasm.bundle.min.mjs",
    "onnxruntime.wasm.xz": "package/dist/ort-wasm-simd-threaded.wasm",
}


def main() -> None:
    """Take both parts out of the archive of npm, and print their checksums and those of what is in them."""
    archive = Path(sys.argv[1])
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != TARBALL:
        sys.exit(f"{archive}: expected SHA-256 {TARBALL}, found {digest}")
    with tarfile.open(archive) as package:
        for name, member in PARTS.items():
            file = package.extractfile(member)
            if file is None:
                sys.exit(f"{archive}: {member} is no file")
            data = file.read()
            packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
            (RUNTIME / name).write_bytes(packed)
            print(f"{name}: {len(packed):,} bytes; unpacked {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
