"""Faults of files for tests: failing operations, power loss, hostile headers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

CHANGING = ("open", "write", "fsync", "replace", "unlink", "rmdir", "mkdir")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Crash(BaseException):
    """The process is gone: nothing after this touches the disk."""


class FaultyOs:
    """`os`, whose `at`-th changing operation fails, or is where the machine loses power."""

    def __init__(self, at: int, code: int | None = None, lasting: bool = False) -> None:
        self.at, self.code, self.lasting, self.done, self.log = at, code, lasting, 0, list[str]()
        self.unsynced: dict[int, int] = {}  # descriptor -> a duplicate of it

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return (lambda *a, **k: self.call(name, real, *a, **k)) if name in CHANGING else real

    def call(self, name: str, real: Any, *args: Any, **kwargs: Any) -> Any:
        self.done += 1
        self.log.append(name)
        if self.code is None and self.done > self.at:
            raise Crash
        if self.done == self.at or (self.lasting and self.done > self.at):
            if name == "write":
                real(args[0], args[1][: len(args[1]) // 2])
            if self.code is not None:
                raise OSError(self.code, os.strerror(self.code))
            for duplicate in self.unsynced.values():  # power loss: what was not fsynced need not be there
                os.ftruncate(duplicate, 0)
            raise Crash
        result = real(*args, **kwargs)
        if name == "open" and args[1] & os.O_WRONLY:
            self.unsynced[result] = os.dup(result)
        elif name == "fsync" and args[0] in self.unsynced:
            os.close(self.unsynced.pop(args[0]))
        return result


def packed(header: object, body: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(shape: object = (2,), start: object = 0, stop: object = 8, dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


HOSTILE = {
    "empty": b"",
    "short": b"\x01\x00",
    "pickle": b"\x80\x04\x95" + b"x" * 100,
    "zip": b"PK\x03\x04" + b"\x00" * 100,
    "header past the end": (1000).to_bytes(8, "little") + b"{}",
    "header of 2^63": (2**63).to_bytes(8, "little") + b"{}",
    "deep": packed(b'{"a":' + b"[" * 1_000_000),
    "not an object": packed([]),
    "not UTF-8": packed(b'{"\xff": 1}'),
    "huge number": packed(b'{"a": ' + b"9" * 10_000 + b"}"),
    "twice": packed(b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":1}', b"0000"),
    "overlap": packed({"a": entry(), "b": entry(start=4, stop=12)}, b"0" * 12),
    "same span": packed({"a": entry(), "b": entry()}, b"0" * 8),
    "gap": packed({"a": entry(), "b": entry(start=12, stop=20)}, b"0" * 20),
    "trailing": packed({"a": entry()}, b"0" * 9),
    "backwards": packed({"a": entry(start=8, stop=0)}, b"0" * 8),
    "shape bomb": packed({"a": entry(shape=[2**40, 2**40])}, b"0" * 8),
    "shape bomb with a zero": packed({"a": entry(shape=[2**62, 2**62, 0], stop=0)}),
    "many dims": packed({"a": entry(shape=[1] * 100, stop=4)}, b"0" * 4),
    "negative": packed({"a": entry(shape=[-1, -2])}, b"0" * 8),
    "bool shape": packed({"a": entry(shape=[True, 2])}, b"0" * 8),
    "float shape": packed({"a": entry(shape=[2.0])}, b"0" * 8),
    "text shape": packed({"a": entry(shape="2")}, b"0" * 8),
    "dtype": packed({"a": entry(dtype="F33")}, b"0" * 8),
    "dtype list": packed({"a": entry(dtype=["F32"])}, b"0" * 8),
    "extra key": packed({"a": {**entry(), "x": 1}}, b"0" * 8),
    "metadata": packed({"__metadata__": {"a": 1}}),
    "metadata list": packed({"__metadata__": []}),
    "wide": packed({str(i): entry(stop=0, shape=[0]) for i in range(50_000)}),
}
