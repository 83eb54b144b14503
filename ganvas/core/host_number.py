"""The value of a scalar buffer as a Python number, without a read from the device in every step."""

from __future__ import annotations

import ctypes
import weakref

import torch
from torch import Tensor


class HostNumber:
    """Caches the value of a scalar float32 buffer, and reads it again only after the buffer changed.

    Growing networks branch on such a number. A read from a GPU would make the CPU wait for all work before it.
    """

    def __init__(self) -> None:
        self.buffer: weakref.ref[Tensor] | None = None  # the buffer that was read: a copied module has another one
        self.version, self.number = -1, 0.0

    def write(self, buffer: Tensor, number: float) -> None:
        """Fill the float32 buffer, and cache the number as float32 rounds it."""
        with torch.no_grad():
            buffer.fill_(number)
        self._remember(buffer, ctypes.c_float(number).value)

    def read(self, buffer: Tensor) -> float:
        """The value of the buffer; read from the device only if something else has changed it.

        While torch.export traces, the buffer is a stand-in without a value: then it is the value that was read before.
        """
        if torch.compiler.is_exporting():
            return self.number
        if self.buffer is None or self.buffer() is not buffer or self.version != buffer._version:
            self._remember(buffer, float(buffer))
        return self.number

    def _remember(self, buffer: Tensor, number: float) -> None:
        self.buffer, self.version, self.number = weakref.ref(buffer), buffer._version, number
