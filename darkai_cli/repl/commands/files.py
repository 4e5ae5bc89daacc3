"""Commands for files, the clipboard and code blocks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from darkai_cli import stdio
from darkai_cli.conversation.attachments import AttachedText, Attachments
from darkai_cli.errors import InputError, NotFoundError, UsageError
from darkai_cli.repl import clipboard
from darkai_cli.repl.commands.command import Action, command
from darkai_cli.repl.commands.messages import reject_argument, turn_number
from darkai_cli.text import file_size, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from darkai_cli.repl.session import ChatSession


_EXPORT_FORMATS: dict[str, Literal["md", "html", "json", "jsonl"]] = {
    "md": "md", "html": "html", "json": "json", "jsonl": "jsonl",
}  # fmt: skip


class Fence(NamedTuple):
    """A fenced code block of a reply."""

    language: str
    code: str


@command(
    "file", topic="files", summary="attach files or pages to the next prompt",
    arguments="[PATH|URL]...", completes="path",
)  # fmt: skip
def attach(session: ChatSession, argument: str) -> Action:
    """Text, or an image for models that take them. Quotes hold a name with spaces together. A file
    that is attached already is read anew. Without arguments what is attached is listed; `/file -`
    drops it all.
    """
    if argument == "-":
        session.pending = Attachments()
        session.screen.dim("nothing is attached")
        return None
    if argument:
        names = [_expand_home(name) for name in split_words(argument)]
        for name in names:
            if Path(name).is_dir():
                raise InputError(f"`{name}` is a folder", hint="`/file FOLDER/ONE FOLDER/TWO`")
        added = session.attach(names)
        session.screen.dim(f"attached: {_list(added)}; it goes with the next prompt")
        settings, model = session.target
        info = session.context_window.known(settings, model) if added.images else None
        if info is not None and info.takes and "image" not in info.takes:
            session.screen.line(f"warning: the service does not list {session.name} for images")
        return None
    session.screen.line(f"attached: {_list(session.pending)}")
    return None


@command("paste", topic="files", summary="attach what is in the clipboard")
def paste(session: ChatSession, argument: str) -> Action:
    """Read with the desktop's own tool; over ssh paste with the terminal's key instead."""
    reject_argument(argument, "/paste")
    text = clipboard.paste(stdio.environ())
    session.add(Attachments((AttachedText("clipboard", text),)))
    session.screen.dim(f"attached: clipboard, {len(text)} characters; it goes with the next prompt")
    return None


@command(
    "copy", topic="files", summary="copy a reply, its code, or all of the conversation",
    arguments="[N|code [N]|all]", completes="copy",
)  # fmt: skip
def copy(session: ChatSession, argument: str) -> Action:
    """Without arguments the last reply. `code` is the last code block of it, `code 2` its second
    one; `all` the whole active branch as Markdown. The text is copied as it was received.
    """
    first, _, rest = argument.partition(" ")
    if first == "all":
        text, label = _as_markdown(session), "the conversation"
    elif first == "code":
        blocks = fences(session.branches.reply().message.content)
        block = _select_fence(blocks, turn_number(rest.strip(), "/copy code"))
        text, label = block.code, "the code"
    else:
        text, label = (
            session.branches.reply(turn_number(argument, "/copy")).message.content,
            "the reply",
        )
    if not text:
        raise NotFoundError(f"{label} is empty", hint=None)
    how, sequence = clipboard.copy(text, stdio.environ(), plain=session.screen.plain)
    if sequence:
        session.screen.styled(sequence)
    session.screen.dim(f"copied {label} {how}")
    return None


@command(
    "code", topic="files", summary="list the code blocks of a reply", arguments="[N]",
    completes="exchange",
)  # fmt: skip
def code(session: ChatSession, argument: str) -> Action:
    """`/save code FILE` writes one to a file, `/copy code` copies it."""
    blocks = fences(session.branches.reply(turn_number(argument, "/code")).message.content)
    if not blocks:
        raise NotFoundError("that reply holds no code block", hint=None)
    for number, fence in enumerate(blocks, 1):
        lines = fence.code.count("\n")
        first = next((line.strip() for line in fence.code.splitlines() if line.strip()), "")
        count = plural(lines, "line")
        session.screen.line(f"{number}  {fence.language or 'text'}, {count}: {first[:60]}")
    return None


@command(
    "raw", topic="files", summary="show a reply as plain lines, safe to copy", arguments="[N]",
    completes="exchange",
)  # fmt: skip
def raw(session: ChatSession, argument: str) -> Action:
    """As it was received: no rendering, and no line breaks but its own."""
    session.screen.say(session.branches.reply(turn_number(argument, "/raw")).message.content)
    return None


@command(
    "save", topic="files", summary="write the last reply, or its code, to a file",
    arguments="[code [N]] FILE", completes="path",
)  # fmt: skip
def save(session: ChatSession, argument: str) -> Action:
    """`/save code main.py` writes the last code block, `/save code 2 main.py` the second one. A
    file that exists is replaced only if you say so.
    """
    arguments = split_words(argument)
    reply = session.branches.reply().message.content
    if arguments[:1] == ["code"] and len(arguments) > 1:
        arguments = arguments[1:]
        number = turn_number(arguments.pop(0), "/save code") if len(arguments) > 1 else None
        reply = _select_fence(fences(reply), number).code
    if len(arguments) != 1:
        raise UsageError("`/save` needs the name of a file", hint="`/save answer.md`")
    write(session, _expand_home(arguments[0]), [reply if reply.endswith("\n") else f"{reply}\n"])
    return None


@command(
    "export", topic="files", summary="write the conversation to a file",
    arguments="FILE.md|.html|.json|.jsonl", completes="path",
)  # fmt: skip
def export(session: ChatSession, argument: str) -> Action:
    """The ending of the name decides the form. JSON Lines are what `darkai history import` takes
    back.
    """
    arguments = split_words(argument)
    suffix = arguments[0].rpartition(".")[2].lower() if len(arguments) == 1 else ""
    form = _EXPORT_FORMATS.get(suffix)
    if form is None:
        raise UsageError(
            "`/export` needs the name of a file that ends in .md, .html, .json or .jsonl",
            hint="`/export talk.md`",
        )
    if not len(session.branches):
        raise NotFoundError("nothing has been said yet", hint=None)
    if not session.saved or session.conversation is None:
        if form != "md":
            raise UsageError("a session that is not saved exports Markdown", hint="`/export x.md`")
        write(session, _expand_home(arguments[0]), [_as_markdown(session)])
        return None
    from darkai_cli.history.export import export as export_conversations

    with session.store() as store:
        write(
            session,
            _expand_home(arguments[0]),
            export_conversations(store, [session.conversation], form),
        )
    return None


def split_words(argument: str) -> list[str]:
    """Return the words of an argument, quoted as in a shell. Raises ``UsageError``."""
    try:
        return shlex.split(argument)
    except ValueError:
        raise UsageError(
            "a quote is not closed", hint="put a backslash before it, or a second one after"
        ) from None


def fences(text: str) -> list[Fence]:
    """Return the fenced code blocks of a Markdown text, in lists and quotes too."""
    from markdown_it import MarkdownIt

    return [
        Fence(token.info.strip().partition(" ")[0], token.content)
        for token in MarkdownIt("commonmark").parse(text)
        if token.type == "fence"
    ]


def write(session: ChatSession, name: str, pieces: Iterable[str]) -> None:
    """Write a file atomically. Asks before it replaces one."""
    from darkai_cli.files import AtomicFile

    path = Path(name)
    if path.is_dir():
        raise InputError(f"`{name}` is a folder", hint="name a file in it")
    if path.exists() and not (
        session.reader is not None and session.reader.confirm(f"replace `{name}`?")
    ):
        session.screen.dim("not written")
        return
    file = None
    try:
        file = AtomicFile(name)
        out = file.open()
        for piece in pieces:
            out.write(piece.encode("utf-8", "replace"))
        file.commit()
    except BaseException as exc:
        if file is not None:
            file.discard()
        if isinstance(exc, InputError):
            exc.hint = "name another file"
        raise
    session.screen.dim(f"written to {name}")


def _select_fence(blocks: list[Fence], number: int | None) -> Fence:
    """Return a code block by its number, the last one for None. Raises ``NotFoundError``."""
    if not blocks:
        raise NotFoundError("the last reply holds no code block", hint="`/copy` copies the reply")
    if number is None:
        return blocks[-1]
    if not 1 <= number <= len(blocks):
        raise NotFoundError(f"there is no code block {number}", hint="`/code` lists them")
    return blocks[number - 1]


def _as_markdown(session: ChatSession) -> str:
    """Return the active branch as Markdown."""
    parts = [f"# {session.title or 'Untitled'}\n"]
    for entry in session.branches.branch():
        author = "You" if entry.answer is None else f"{entry.answer.provider}/{entry.answer.model}"
        parts.append(f"\n## {author}\n\n{entry.message.content.rstrip()}\n")
    return "".join(parts)


def _expand_home(name: str) -> str:
    return str(Path(name).expanduser()) if name.startswith("~") else name


def _list(attached: Attachments) -> str:
    names = [f"{text.name} ({len(text.text)} characters)" for text in attached.texts]
    names += [f"{image.name} ({file_size(len(image.data))})" for image in attached.images]
    return ", ".join(names) or "nothing"
