"""Commands for files, the clipboard and code blocks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from darkai_cli.conversation.attachments import AttachedText, Attachments
from darkai_cli.errors import InputError, NotFoundError, UsageError
from darkai_cli.repl import clipboard
from darkai_cli.repl.commands.command import command
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
    "file", summary="Attach files or web pages to the next prompt",
    arguments="[PATH|URL]...", completes="path",
)  # fmt: skip
def attach(session: ChatSession, argument: str) -> None:
    """Attaches text, or images for models that accept them. Put quotes around a name with spaces. A
    file that is attached already is read again. Without arguments, `/file` lists the attachments;
    `/file -` drops them.
    """
    if argument == "-":
        session.pending = Attachments()
        session.screen.dim("Dropped all attachments.")
        return
    if argument:
        names = [_expand_home(name) for name in split_words(argument)]
        for name in names:
            if Path(name).is_dir():
                raise InputError(f"`{name}` is a folder", hint="Name the files in it")
        added = session.attach(names)
        session.screen.dim(f"Attached {_list(added)}; sent with your next prompt.")
        settings, model = session.target
        info = session.context_window.known(settings, model) if added.images else None
        if info is not None and info.takes and "image" not in info.takes:
            session.screen.line(f"warning: {session.name} may not accept images")
        return
    session.screen.line(f"Attached: {_list(session.pending)}")


@command("paste", summary="Attach the clipboard")
def paste(session: ChatSession, argument: str) -> None:
    """Reads it with a desktop tool. Over ssh, use your terminal's paste key instead."""
    reject_argument(argument, "/paste")
    text = clipboard.paste(session.child_environment())
    session.add(Attachments((AttachedText("clipboard", text),)))
    many = plural(len(text), "character")
    session.screen.dim(f"Attached the clipboard ({many}); sent with your next prompt.")


@command(
    "copy", summary="Copy a reply, its code or the conversation",
    arguments="[N|code [N]|all]", completes="copy",
)  # fmt: skip
def copy(session: ChatSession, argument: str) -> None:
    """Without arguments, copies the last reply. `code` copies its last code block, `code 2` the
    second one, `all` the current branch as Markdown. The text is copied exactly as received.
    """
    first, _, rest = argument.partition(" ")
    if first == "all":
        text, label = _as_markdown(session), "Conversation"
    elif first == "code":
        blocks = fences(session.branches.reply().message.content)
        block = _select_fence(blocks, turn_number(rest.strip(), "/copy code"))
        text, label = block.code, "Code"
    else:
        text, label = (
            session.branches.reply(turn_number(argument, "/copy")).message.content,
            "Reply",
        )
    if not text:
        raise NotFoundError(f"The {label.lower()} is empty", hint=None)
    how, sequence = clipboard.copy(text, session.child_environment(), plain=session.screen.plain)
    if sequence:
        session.screen.styled(sequence)
    session.screen.dim(f"{label} {how}")


@command("code", summary="List the code blocks of a reply", arguments="[N]", completes="turn")
def code(session: ChatSession, argument: str) -> None:
    """`/copy code` copies one, `/save code FILE` saves it."""
    blocks = fences(session.branches.reply(turn_number(argument, "/code")).message.content)
    if not blocks:
        raise NotFoundError("This reply has no code blocks", hint=None)
    for number, fence in enumerate(blocks, 1):
        lines = fence.code.count("\n")
        first = next((line.strip() for line in fence.code.splitlines() if line.strip()), "")
        count = plural(lines, "line")
        session.screen.line(f"{number}  {fence.language or 'text'}, {count}: {first[:60]}")


@command("raw", summary="Print a reply as plain text", arguments="[N]", completes="turn")
def raw(session: ChatSession, argument: str) -> None:
    """Prints the text exactly as received, without rendering and line wrapping."""
    session.screen.say(session.branches.reply(turn_number(argument, "/raw")).message.content)


@command(
    "save", summary="Save the last reply or its code to a file",
    arguments="[code [N]] FILE", completes="path",
)  # fmt: skip
def save(session: ChatSession, argument: str) -> None:
    """`/save code main.py` saves the last code block, `/save code 2 main.py` the second one. darkai
    asks before it replaces a file.
    """
    arguments = split_words(argument)
    reply = session.branches.reply().message.content
    if arguments[:1] == ["code"] and len(arguments) > 1:
        arguments = arguments[1:]
        number = turn_number(arguments.pop(0), "/save code") if len(arguments) > 1 else None
        reply = _select_fence(fences(reply), number).code
    if len(arguments) != 1:
        raise UsageError("`/save` needs a file name", hint="`/save answer.md`")
    write(session, _expand_home(arguments[0]), [reply if reply.endswith("\n") else f"{reply}\n"])


@command(
    "export", summary="Export the conversation to a file",
    arguments="FILE.md|.html|.json|.jsonl", completes="path",
)  # fmt: skip
def export(session: ChatSession, argument: str) -> None:
    """The format is that of the file name. `darkai history import` reads JSON Lines back."""
    arguments = split_words(argument)
    suffix = arguments[0].rpartition(".")[2].lower() if len(arguments) == 1 else ""
    form = _EXPORT_FORMATS.get(suffix)
    if form is None:
        raise UsageError(
            "`/export` needs a file name that ends in .md, .html, .json or .jsonl",
            hint="`/export talk.md`",
        )
    if not len(session.branches):
        raise NotFoundError("The conversation is empty", hint=None)
    if not session.saved or session.conversation is None:
        if form != "md":
            raise UsageError(
                "An unsaved chat can only be exported as Markdown", hint="`/export talk.md`"
            )
        write(session, _expand_home(arguments[0]), [_as_markdown(session)])
        return
    from darkai_cli.history.export import export as export_conversations

    with session.store() as store:
        write(
            session,
            _expand_home(arguments[0]),
            export_conversations(store, [session.conversation], form),
        )


def split_words(argument: str) -> list[str]:
    """Return the words of an argument, quoted as in a shell. Raises ``UsageError``."""
    try:
        return shlex.split(argument)
    except ValueError:
        raise UsageError(
            "A quote is not closed", hint="Put a backslash before the quote, or close it"
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
        raise InputError(f"`{name}` is a folder", hint="Name a file in it")
    if path.exists() and not (
        session.reader is not None and session.reader.confirm(f"Replace `{name}`?")
    ):
        session.screen.dim("Not written.")
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
            exc.hint = "Name another file"
        raise
    session.screen.dim(f"Wrote {name}.")


def _select_fence(blocks: list[Fence], number: int | None) -> Fence:
    """Return a code block by its number, the last one for None. Raises ``NotFoundError``."""
    if not blocks:
        raise NotFoundError("The last reply has no code blocks", hint="`/copy` copies the reply")
    if number is None:
        return blocks[-1]
    if not 1 <= number <= len(blocks):
        raise NotFoundError(f"No code block {number}", hint="`/code` lists them")
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
    names = [f"{text.name} ({plural(len(text.text), 'character')})" for text in attached.texts]
    names += [f"{image.name} ({file_size(len(image.data))})" for image in attached.images]
    return ", ".join(names) or "nothing"
