"""What goes along with a prompt: message by its bytes, bounded, and nothing private by accident."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.conversation import attachments
from darkai_cli.conversation.attachments import AttachedText, Attachments
from darkai_cli.errors import InputError
from darkai_cli.http.connection import ConnectionConfig
from darkai_cli.messages import Image

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def read(*names: str, stdin: bytes = b"") -> Attachments:
    return attachments.read(
        names, stdin=lambda: stdin, connection_for=lambda _url: ConnectionConfig()
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0abc", "image/jpeg"),
        (b"GIF89a\0\0", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_the_bytes_of_an_image_say_its_type(tmp_path: Path, data: bytes, kind: str):
    file = tmp_path / "notes.txt"  # whatever it is called
    file.write_bytes(data)
    assert read(str(file)).images == (Image(kind, data, str(file)),)


def test_texts_follow_the_prompt_under_their_names(tmp_path: Path):
    (tmp_path / "a").write_text("one\n")
    (tmp_path / "b").write_bytes("\ufeffzwei".encode())
    result = read(str(tmp_path / "a"), str(tmp_path / "b"))
    expected = f"Compare.\n\n==> {tmp_path}/a <==\none\n\n==> {tmp_path}/b <==\nzwei"
    assert result.append_to("Compare.") == expected
    assert Attachments((AttachedText("x", "y"),)).append_to("") == "==> x <==\ny"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"PK\x03\x04rest", "is a ZIP archive"),
        (b"\x1f\x8b\x08rest", "is compressed"),
        (b"SQLite format 3\0", "is a database"),
        (b"\xff\xfeh\0i\0", "is UTF-16 text"),
        (b"text\0more", "is binary"),
        (b"caf\xe9", "is not UTF-8 text: invalid byte 0xe9 at offset 3"),
    ],
)
def test_what_models_cannot_read_is_refused_with_the_reason(tmp_path: Path, data: bytes, why: str):
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(InputError, match="file") as caught:
        read(str(file))
    assert why in caught.value.message


def test_folders_devices_and_nothing(tmp_path: Path):
    for name, why in (
        (str(tmp_path), "is a folder"),
        ("/dev/zero", "is a device"),
        ("", "No such file"),
    ):
        with pytest.raises(InputError) as caught:
            read(name)
        assert why in caught.value.message


def test_a_named_pipe_is_read(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = os.fork()
    if not child:
        with pipe.open("wb") as out:
            out.write(b"from a command")
        os._exit(0)
    assert read(str(pipe)).texts == (AttachedText(str(pipe), "from a command"),)
    os.waitpid(child, 0)


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(attachments, "MAX_BYTES", 10)
    (tmp_path / "a").write_text("x" * 11)
    (tmp_path / "b").write_text("x" * 6)
    (tmp_path / "c").write_text("x" * 6)
    with pytest.raises(InputError, match="is larger than"):
        read(str(tmp_path / "a"))
    with pytest.raises(InputError, match="in total"):
        read(str(tmp_path / "b"), str(tmp_path / "c"))


def test_the_same_file_twice_is_a_mistake(tmp_path: Path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(InputError, match="attached twice"):
        read(str(tmp_path / "a"), str(tmp_path / "a"))


def test_stdin_can_be_attached():
    assert read("-", stdin=b"piped").texts == (AttachedText("stdin", "piped"),)
    assert read("-", stdin=PNG).images[0].media_type == "image/png"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_text_an_image_or_an_explained_error(data: bytes):
    try:
        result = read("-", stdin=data)
    except InputError as error:
        message = error.message
    else:
        message = ""
        assert len(result.texts) + len(result.images) == 1
        if result.texts:
            assert result.texts[0].text == data.decode().removeprefix("\ufeff")
    assert not message or "stdin" in message
