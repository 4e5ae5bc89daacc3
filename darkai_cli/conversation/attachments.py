"""What goes along with a prompt: files, standard input, and pages, as text or as images.

A text follows the prompt under a line that names it, ``==> notes.md <==``, as ``head`` and ``tail``
write it. What something is is told by its first bytes, never by its name: an image of a kind that
models take goes along as one; any other binary, and a folder, is refused with the reason. All is
bounded. Nothing is sent here, and nothing but URLs is fetched.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from darkai_cli import stdio
from darkai_cli.errors import DarkAIError, InputError
from darkai_cli.messages import MAX_IMAGE, Image, image_type
from darkai_cli.text import file_size

if TYPE_CHECKING:
    from darkai_cli.http.connection import ConnectionConfig

MAX_BYTES = MAX_IMAGE
"""The most bytes of one attachment, and of all texts together."""

_OTHERS = (
    (b"%PDF-", "a PDF", "`pdftotext FILE - | darkai ask -f - ...` takes its text"),
    (b"PK\x03\x04", "a ZIP archive or an office document", "unpack or convert it to text first"),
    (b"\x1f\x8b", "compressed", "`zcat FILE | darkai ask -f - ...`"),
    (b"\x7fELF", "a program", None),
    (b"SQLite format 3\x00", "a database", "`sqlite3 FILE .dump | darkai ask -f - ...`"),
    (b"\xff\xfe", "UTF-16 text", "`iconv -f utf-16 -t utf-8 FILE | darkai ask -f - ...`"),
    (b"\xfe\xff", "UTF-16 text", "`iconv -f utf-16 -t utf-8 FILE | darkai ask -f - ...`"),
    (b"II*\x00", "a TIFF image", "convert it to PNG first"),
    (b"MM\x00*", "a TIFF image", "convert it to PNG first"),
)


class Text(NamedTuple):
    """A text that goes along, and what it is called."""

    name: str
    text: str


class Attached(NamedTuple):
    """All that goes along with one prompt."""

    texts: tuple[Text, ...] = ()
    images: tuple[Image, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What everything is called."""
        return (*(text.name for text in self.texts), *(image.name for image in self.images))

    def below(self, prompt: str) -> str:
        """The prompt with the texts below it, each under its name."""
        parts = [prompt] if prompt else []
        for name, text in self.texts:
            parts.append(f"==> {name} <==\n{text.removesuffix(chr(10))}\n")
        return "\n\n".join(part.removesuffix("\n") for part in parts)


def is_url(named: str) -> bool:
    """Whether an attachment is named by a URL."""
    scheme, mark, _ = named.partition("://")
    return bool(mark) and scheme.isascii() and scheme.isalpha()


def read(
    names: Sequence[str],
    *,
    stdin: Callable[[], bytes],
    link_to: Callable[[str], ConnectionConfig],
) -> Attached:
    """What the user named: paths, URLs, and ``-`` for standard input.

    Raises ``InputError`` for what cannot be used, and what a fetch raises.
    """
    texts: list[Text] = []
    images: list[Image] = []
    size = 0
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"`{_shown(name)}` is attached twice", hint="name it once with `-f`")
        if name == "-":
            found = _classify("stdin", stdin(), "")
        elif is_url(name):
            found = _fetched(name, link_to)
        else:
            found = _classify(_shown(name), _file(name), "")
        if isinstance(found, Image):
            images.append(found)
            continue
        size += len(found.text)
        if size > MAX_BYTES:
            raise InputError(
                f"the attached texts are larger than {file_size(MAX_BYTES)} together",
                hint="attach less, or only the part that matters",
            )
        texts.append(found)
    return Attached(tuple(texts), tuple(images))


def _file(name: str) -> bytes:
    """The bytes of a file; a named pipe is read too, as ``<(command)`` of a shell gives one."""
    shown = _shown(name)
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116 -- a path as it was typed
        if stat.S_ISDIR(mode):
            raise InputError(
                f"`{shown}` is a folder", hint="attach files: `-f FOLDER/ONE -f FOLDER/TWO`"
            )
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError(f"`{shown}` is a device, not a file", hint="attach a file")
        with open(name, "rb") as file:  # noqa: PTH123 -- likewise
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file `{shown}`", hint="check the path") from None
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"`{shown}` cannot be read: {reason}", hint="check the path") from exc
    except ValueError:
        raise InputError(f"`{shown}` is no path", hint="check the path") from None
    if len(data) > MAX_BYTES:
        raise InputError(
            f"`{shown}` is larger than {file_size(MAX_BYTES)}",
            hint="attach the part that matters: `head FILE | darkai ask -f - ...`",
        )
    return data


def _fetched(url: str, link_to: Callable[[str], ConnectionConfig]) -> Text | Image:
    from darkai_cli.http.download import fetch
    from darkai_cli.secrets import mask_url

    try:
        got = fetch(url, link_to, MAX_BYTES)
    except InputError:
        raise
    except DarkAIError as exc:
        exc.message = f"`{mask_url(url)}` cannot be fetched: {exc.message}"
        exc.hint = exc.hint and exc.hint.replace("the base URL", "the URL")
        raise
    return _classify(mask_url(url), got.data, got.charset)


def _classify(name: str, data: bytes, charset: str) -> Text | Image:
    """The text or the image that ``data`` is. Raises ``InputError`` for anything else."""
    media_type = image_type(data)
    if media_type:
        return Image(media_type, data, name)
    for mark, what, hint in _OTHERS:
        if data.startswith(mark):
            raise InputError(f"`{name}` is {what}, which no model takes", hint=hint)
    if not data:
        raise InputError(f"`{name}` is empty", hint="leave it out")
    if b"\0" in data[:4096]:
        raise InputError(
            f"`{name}` is binary, which no model takes", hint="convert it to text or an image first"
        )
    if charset and charset.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        try:
            return Text(name, data.decode(charset))
        except (LookupError, UnicodeError):
            pass  # the header is wrong about it, or Python does not know it
    return Text(name, stdio.decode(data, f"`{name}`"))


def _shown(name: str) -> str:
    """A path as it may stand in a message and in the prompt."""
    return "".join(char if char.isprintable() else "�" for char in name)
