"""Read the attachments of a prompt: files, standard input and URLs, as text or as images.

A text follows the prompt under a line that names it, ``==> notes.md <==``, as ``head`` and ``tail``
write it. The first bytes decide what something is, never its name: an image of a kind that models
take is sent as one; any other binary, and a folder, is refused with the reason. Sizes are bounded.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, InputError
from darkai_cli.messages import MAX_IMAGE, Image, sniff_image_type
from darkai_cli.text import file_size

if TYPE_CHECKING:
    from darkai_cli.http.connection import ConnectionConfig

MAX_BYTES = MAX_IMAGE
"""The most bytes of one attachment, and of all texts together."""

_UNSUPPORTED = (
    (b"%PDF-", "a PDF", "Attach its text: `pdftotext FILE - | darkai ask -f - ...`"),
    (b"PK\x03\x04", "a ZIP archive or an office document", "Unpack it or convert it to text first"),
    (b"\x1f\x8b", "compressed", "Attach its content: `zcat FILE | darkai ask -f - ...`"),
    (b"\x7fELF", "a program", None),
    (
        b"SQLite format 3\x00",
        "a database",
        "Dump it: `sqlite3 FILE .dump | darkai ask -f - ...`",
    ),
    (
        b"\xff\xfe",
        "UTF-16 text",
        "Try `iconv -f utf-16 -t utf-8 FILE | darkai ask -f - ...`",
    ),
    (
        b"\xfe\xff",
        "UTF-16 text",
        "Try `iconv -f utf-16 -t utf-8 FILE | darkai ask -f - ...`",
    ),
    (b"II*\x00", "a TIFF image", "Convert it to PNG first"),
    (b"MM\x00*", "a TIFF image", "Convert it to PNG first"),
)


class AttachedText(NamedTuple):
    """A text that is sent with a prompt, and its name."""

    name: str
    text: str


class Attachments(NamedTuple):
    """All that is attached to one prompt."""

    texts: tuple[AttachedText, ...] = ()
    images: tuple[Image, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all texts and images."""
        return (*(text.name for text in self.texts), *(image.name for image in self.images))

    def append_to(self, prompt: str) -> str:
        """Return the prompt with the texts below it, each under its name."""
        parts = [prompt] if prompt else []
        for name, text in self.texts:
            parts.append(f"==> {name} <==\n{text.removesuffix(chr(10))}\n")
        return "\n\n".join(part.removesuffix("\n") for part in parts)


def is_url(name: str) -> bool:
    """Return whether an attachment is named by a URL."""
    scheme, mark, _ = name.partition("://")
    return bool(mark) and scheme.isascii() and scheme.isalpha()


def read(
    names: Sequence[str],
    *,
    stdin: Callable[[], bytes],
    connection_for: Callable[[str], ConnectionConfig],
) -> Attachments:
    """Return what ``names`` stand for: paths, URLs, and ``-`` for standard input.

    ``connection_for``: how a URL is reached. Raises ``InputError`` for what cannot be used, and
    ``DarkAIError`` and its kin for a URL that cannot be fetched.
    """
    texts: list[AttachedText] = []
    images: list[Image] = []
    size = 0
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"`{_printable(name)}` is attached twice", hint="Name it once")
        if name == "-":
            attachment = _classify("stdin", stdin(), "")
        elif is_url(name):
            attachment = _fetch(name, connection_for)
        else:
            attachment = _classify(_printable(name), _read_file(name), "")
        if isinstance(attachment, Image):
            images.append(attachment)
            continue
        size += len(attachment.text)
        if size > MAX_BYTES:
            raise InputError(
                f"The attached texts are larger than {file_size(MAX_BYTES)} in total",
                hint="Attach fewer files, or only the part that matters",
            )
        texts.append(attachment)
    return Attachments(tuple(texts), tuple(images))


def _read_file(name: str) -> bytes:
    """Return the bytes of a file, or of a named pipe, as a shell's ``<(command)`` makes one."""
    path = _printable(name)
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116 -- a path as it was typed
        if stat.S_ISDIR(mode):
            raise InputError(
                f"`{path}` is a folder", hint="Attach its files: `-f FOLDER/ONE -f FOLDER/TWO`"
            )
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError(f"`{path}` is a device, not a file", hint="Attach a file")
        with open(name, "rb") as file:  # noqa: PTH123 -- a path as it was typed
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"No such file: `{path}`", hint="Check the path") from None
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"Can't read `{path}`: {reason}", hint="Check the path") from exc
    except ValueError:
        raise InputError(f"Invalid path: `{path}`", hint="Check the path") from None
    if len(data) > MAX_BYTES:
        raise InputError(
            f"`{path}` is larger than {file_size(MAX_BYTES)}",
            hint="Attach the part that matters: `head FILE | darkai ask -f - ...`",
        )
    return data


def _fetch(url: str, connection_for: Callable[[str], ConnectionConfig]) -> AttachedText | Image:
    """Return what a URL holds. Raises ``DarkAIError`` and its kin, which name the URL."""
    from darkai_cli.http.download import fetch
    from darkai_cli.secrets import mask_url

    try:
        page = fetch(url, connection_for, MAX_BYTES)
    except InputError:
        raise
    except DarkAIError as exc:
        exc.message = f"Can't fetch `{mask_url(url)}`: {exc.message}"
        exc.hint = exc.hint and exc.hint.replace("the base URL", "the URL")
        raise
    return _classify(mask_url(url), page.data, page.charset)


def _classify(name: str, data: bytes, charset: str) -> AttachedText | Image:
    """Return the text or the image that ``data`` is. Raises ``InputError`` for anything else."""
    media_type = sniff_image_type(data)
    if media_type:
        return Image(media_type, data, name)
    for mark, kind, hint in _UNSUPPORTED:
        if data.startswith(mark):
            raise InputError(f"`{name}` is {kind}, which models can't read", hint=hint)
    if not data:
        raise InputError(f"`{name}` is empty", hint="Leave it out")
    if b"\0" in data[:4096]:
        raise InputError(
            f"`{name}` is binary, which models can't read",
            hint="Convert it to text or an image first",
        )
    if charset and charset.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        try:
            return AttachedText(name, data.decode(charset))
        except (LookupError, UnicodeError):
            pass  # the header is wrong, or Python does not know the charset
    return AttachedText(name, stdio.decode(data, f"`{name}`"))


def _printable(name: str) -> str:
    """Return a path as it may stand in a message and in the prompt."""
    return "".join(char if char.isprintable() else "�" for char in name)
