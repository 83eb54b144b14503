"""Read images from a zip file without extracting it; a hostile archive is refused.

Source of the rules: CVE-2019-9674 (bombs), Fifield, WOOT 2019 (overlapping members), the zip-slip advisories.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ganvas.data.collection import DataSource, ImageCollection, identify_file
from ganvas.data.folder_layout import HEAD, Arrange, arrange
from ganvas.data.images import Header, UnreadableError, decode, peek
from ganvas.data.label_tables import MAX_TABLE, ROW_BYTES
from ganvas.data.levels import Values
from ganvas.data.readers.unpacking import unpack
from ganvas.errors import DataError
from ganvas.utils.files import require_regular
from ganvas.utils.parsing import printable

MAX_MEMBERS = 2_000_000
MAX_MEMBER = 256 << 20  # bytes, unpacked
MAX_NAME = 4_096  # symbols
MAX_TOTAL = 256 << 30  # bytes, unpacked
MAX_RATIO = 200  # unpacked to packed size; images are compressed already, and deflate reaches 1032
RATIO_FROM = 16 << 20  # bytes; smaller members may have any ratio
UTF8 = 0x800  # the flag of a name in UTF-8
UNICODE_PATH = 0x7075
END = struct.Struct("<4s4H2LH")  # the end record of a zip file; its sixth field is the size of the directory
LITTLE = 8 << 20  # bytes of a directory with about 100,000 members


def find(path: Path, split: str, how: Arrange = arrange) -> DataSource:
    """The images in a zip file, with the layout of a folder or of StyleGAN's dataset_tool."""
    return DataSource("zip file", (identify_file(path),), lambda: load(path, split, how))


def load(path: Path, split: str, how: Arrange = arrange) -> ImageCollection:
    """The images of one split. Raises: DataError: the zip is hostile or damaged, or has no images, or not this split."""
    archive = open_archive(path)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    check_bombs(path, infos)
    by_name = {info.filename: info for info in infos}
    limit = MAX_TABLE + ROW_BYTES * len(infos)
    layout = how(
        list(by_name),
        split,
        lambda name: _read_table(archive, by_name[name], limit),
        lambda name: _read_head(archive, by_name[name]),
    )

    def open_member(i: int) -> IO[bytes]:
        return open_packed(archive, by_name[layout.members[i]])

    def peek_member(i: int) -> Header:
        info = by_name[layout.members[i]]
        with open_packed(archive, info) as file:
            return peek(file)._replace(packed=max(1, info.compress_size))

    def read_member(i: int, enough: int) -> Values:
        with open_member(i) as file:
            return decode(file, enough)

    names = tuple(map(printable, layout.members))
    return ImageCollection(
        names,
        peek_member,
        read_member,
        layout.labels,
        layout.classes,
        layout.skipped,
        layout.text,
        splits=layout.splits,
        warnings=(*layout.warnings, *doubt_names(infos)),
        open=open_member,
    )


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a zip file after checks: relative names, each once, no links, no overlapping members, not encrypted.

    `filename` of a member has "/" between folders, also where Windows wrote a backslash, and is decoded as `_decode_name` says.

    Raises:
        DataError: it is damaged, or breaks one of these rules.
    """
    require_regular(path)
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, NotImplementedError, EOFError, struct.error, zipfile.BadZipFile) as error:
        raise DataError(f"{printable(path)}: not a readable zip file ({printable(error, 120)}); pack it again") from None
    try:
        for info in archive.infolist():
            info.filename = _decode_name(info)[0].replace("\\", "/")
        _check_structure(path, archive.infolist())
    except DataError:
        archive.close()
        raise
    return archive


def has_small_directory(path: Path) -> bool:
    """Whether the directory of a zip is small, so that it is read quickly, or missing; false for zips of more than 4 GB."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - END.size - (1 << 16) - 20))
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0:
        return True
    if at + END.size > len(tail) or b"PK\6\7" in tail[max(0, at - 20) : at]:
        return False
    return bool(END.unpack_from(tail, at)[5] <= LITTLE)


def check_bombs(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    """Raises: DataError: a member, or all of them together, would unpack to too many bytes."""
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL:
        raise DataError(f"{printable(path)}: refused, unpacks to {total:,} bytes; expected at most {MAX_TOTAL:,}")
    for info in infos:
        if info.file_size > MAX_MEMBER:
            raise _refuse(path, info, f"unpacks to {info.file_size:,} bytes; expected at most {MAX_MEMBER:,}")
        if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * info.compress_size:
            raise _refuse(path, info, f"unpacks to over {MAX_RATIO} times its packed size, like a zip bomb")


def _check_structure(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_MEMBERS:
        raise DataError(f"{printable(path)}: refused, {len(infos):,} members; expected at most {MAX_MEMBERS:,}")
    names: set[str] = set()
    for info in infos:
        name = info.filename
        if not name or len(name) > MAX_NAME:
            raise _refuse(path, info, f"its name has {len(name):,} symbols; expected 1 to {MAX_NAME:,}")
        if "\0" in name or name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
            raise _refuse(path, info, "its name leads out of the archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refuse(path, info, "it is a symbolic link")
        if info.flag_bits & 0x1:
            raise _refuse(path, info, "it is encrypted; unlock the archive first")
        if info.is_dir():
            continue
        name = info.filename = _clean(name)
        if name in names:
            raise _refuse(path, info, "its name appears twice")
        names.add(name)
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise _refuse(path, info, "it overlaps another member, like a zip bomb")
        end = info.header_offset + 30 + info.compress_size  # 30 bytes: the smallest local header


def _clean(name: str) -> str:
    """A name as folders have it: some programs write ./a/b or a//b."""
    head, _, last = name.rpartition("/")
    return "/".join([*(part for part in head.split("/") if part not in ("", ".")), last])


def _refuse(path: Path, info: zipfile.ZipInfo, reason: str) -> DataError:
    return DataError(f"{printable(path)}: refused because of '{printable(info.orig_filename)}': {reason}")


def _decode_name(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """The name of a member as it was written, and whether its encoding is known.

    UTF-8 if the member's flag says so, or its Unicode Path field (Info-ZIP, 0x7075), or if its bytes are valid UTF-8; else the
    original encoding of zip files, code page 437: programs on Windows often write another one without saying which.
    """
    name = info.orig_filename  # zipfile cuts `filename` at a NUL
    if info.flag_bits & UTF8 or name.isascii():
        return name, True
    written = name.encode("cp437")
    rest = info.extra
    while len(rest) >= 4:
        kind, size = struct.unpack_from("<HH", rest)
        field, rest = rest[4 : 4 + size], rest[4 + size :]
        if kind == UNICODE_PATH and field[:5] == b"\1" + struct.pack("<L", zlib.crc32(written)):
            with suppress(UnicodeDecodeError):
                return field[5:].decode(), True
    try:
        return written.decode(), True
    except UnicodeDecodeError:
        return name, False


def doubt_names(infos: Sequence[zipfile.ZipInfo]) -> tuple[str, ...]:
    """What is doubtful about the names of members, a sentence each."""
    unsure = [info.filename for info in infos if not _decode_name(info)[1]]
    if not unsure:
        return ()
    example = printable(unsure[0], 60)
    advice = "if names of classes look wrong, pack it again with UTF-8 names"
    return (f"{len(unsure):,} names in the zip have an unknown encoding, such as '{example}'; {advice}",)


def open_packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """The contents of a member as a file, in memory or on the disk. No more than the declared size is unpacked, which
    `check_bombs` has bounded; zipfile checks the CRC.

    Raises:
        UnreadableError: it is damaged, or packed in an unusual way.
    """
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableError("packed by a method other than store or deflate; pack the archive again")
    try:
        with archive.open(info) as member:
            return unpack(member, info.file_size)
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise UnreadableError(f"damaged in the archive: {printable(error, 120)}") from None


def _read_table(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """The bytes of a table of labels. Raises: DataError: it is damaged or larger than `limit`."""
    if info.file_size > limit:
        raise DataError(f"{printable(info.filename)}: unpacks to {info.file_size:,} bytes; expected at most {limit:,}")
    try:
        with open_packed(archive, info) as file:
            return file.read()
    except UnreadableError as error:
        raise DataError(f"{printable(info.filename)}: {error}; pack it again or leave it out") from None


def _read_head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The first bytes of a member; b"" if it cannot be read."""
    try:
        with archive.open(info) as member:
            return member.read(HEAD)
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error, zipfile.BadZipFile):
        return b""
