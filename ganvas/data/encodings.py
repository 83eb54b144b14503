"""Text of users in the encodings that programs write: UTF-8, and UTF-16 or UTF-32 with a byte order mark."""

from __future__ import annotations

import codecs

from ganvas.errors import DataError

HEAD = 1024  # bytes that are looked at
MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(head: bytes, what: str) -> str:
    """The encoding of a text that begins with `head`; UTF-8 if it has no mark of another one.

    Raises:
        DataError: it looks like UTF-16 or UTF-32 without a mark.
    """
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    head = head[:HEAD]
    if 3 * head.count(0) > len(head):
        raise DataError(f"{what}: expected UTF-8, found a zero byte in each symbol, like UTF-16; save it as UTF-8")
    return "utf-8-sig"


def decode_text(data: bytes, what: str) -> str:
    """A whole text. Raises: DataError: it is not in its encoding; the message has the line."""
    encoding = find_encoding(data[:HEAD], what)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise DataError(f"{what}: expected {encoding.upper()}, as its first bytes say; save it as UTF-8") from None
        line = data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{error.object[error.start]:02x}"
        raise DataError(f"{what}, line {line}: expected UTF-8, found {found}; save it as UTF-8") from None
