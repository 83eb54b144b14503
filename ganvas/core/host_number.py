"""A scalar buffer as a Python number, without reading it from its device in every step."""

from __future__ import annotations

import ctypes
import weakref

import torch
from torch import Tensor


class HostNumber:
    """Remembers the number that a scalar float32 buffer holds, and reads it again only after the buffer changed.

    Networks that grow branch on such a number. To read it from a GPU makes the CPU wait for all work before it.
    """

    def __init__(self) -> None:
        self.buffer: weakref.ref[Tensor] | None = None  # whose number it is: a copied module has another buffer
        self.version, self.number = -1, 0.0

    def write(self, buffer: Tensor, number: float) -> None:
        """Fill the float32 buffer, and remember the number as float32 rounds it."""
        with torch.no_grad():
            buffer.fill_(number)
        self._remember(buffer, ctypes.c_float(number).value)

    def read(self, buffer: Tensor) -> float:
        """The buffer's number; from its device only where something else has changed it."""
        if self.buffer is None or self.buffer() is not buffer or self.version != buffer._version:
            self._remember(buffer, float(buffer))
        return self.number

    def _remember(self, buffer: Tensor, number: float) -> None:
        self.buffer, self.version, self.number = weakref.ref(buffer), buffer._version, number
