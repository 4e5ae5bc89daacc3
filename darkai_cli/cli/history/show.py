"""``darkai history show``, ``tree`` and ``diff``: one conversation in full.

Turns are numbered in the order of their prompts, over all branches, so that a number stays the same
when a branch grows. On a terminal each reply is rendered for itself: a fence that an interrupted
reply left open does not swallow the next message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.cli.print import STATES, Printer, local_time, note, safe_line
from darkai_cli.config.load import load
from darkai_cli.errors import NotFoundError
from darkai_cli.output.sanitize import sanitize
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from darkai_cli.config import Config
    from darkai_cli.history.store import Store
    from darkai_cli.history.tree import Node, TreeRow

Id = Annotated[
    str | None,
    typer.Argument(
        metavar="[ID]",
        help="Conversation (any unique prefix of its ID; default: the latest).",
        show_default=False,
    ),
]
NARROW = 72
"""Below so many columns a hint is on a line of its own."""

_MARKS = {"-": "bad", "+": "good", "@": "info"}


def show(
    identifier: Id = None,
    turn: Annotated[
        int | None,
        typer.Option("--turn", metavar="N", help="Show only this turn; -1 is the last."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print Markdown, even on a terminal.")] = False,
    reasoning: Annotated[
        str | None,
        typer.Option(
            "--reasoning",
            metavar="show|fold|hide",
            help="How to show the model's reasoning (default on a terminal: fold).",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a conversation."""
    arguments.check_ids(identifier)
    config = load({"reasoning": reasoning})
    with_reasoning = reasoning is not None and config.reasoning == "show"
    with arguments.required_store() as store:
        conversation = arguments.conversation_id(store, identifier)
        nodes = None if turn is None else _turn(store, conversation, turn)
        printer = Printer()
        if json:
            printer.json(_object(store, conversation, nodes))
        elif printer.is_terminal and not raw:
            _show_rendered(store, conversation, nodes, printer, config)
        else:
            for piece in _markdown(store, conversation, nodes, with_reasoning=with_reasoning):
                printer.write(sanitize(piece) if printer.is_terminal else piece)


def _turn(store: Store, conversation: str, number: int) -> list[Node]:
    """Return the messages of a turn: its prompt and its reply. Raises ``NotFoundError``."""
    from darkai_cli.history import tree as library

    turns = store.turns(conversation)
    if not 1 <= (number if number > 0 else len(turns) + 1 + number) <= len(turns) or not number:
        raise NotFoundError(
            f"No turn {number}: the conversation has {plural(len(turns), 'turn')}",
            hint=f"Run `darkai history tree {store.short(conversation)}` to see the numbers",
        )
    turn = turns[number - 1 if number > 0 else number]
    return [
        node for node in library.nodes(store, conversation) if node.id in (turn.prompt, turn.reply)
    ]


def _object(store: Store, conversation: str, nodes: list[Node] | None) -> dict[str, Any]:
    """Return the JSON object for a conversation, or for some of its messages, without file data."""
    from darkai_cli.history import export

    data = export.conversation_record(store, conversation, with_data=False)
    if nodes is not None:
        ids = {node.id for node in nodes}
        data["messages"] = [message for message in data["messages"] if message["id"] in ids]
        data["turns"] = [turn for turn in data["turns"] if turn["reply"] in ids]
    return data


def _markdown(
    store: Store, conversation: str, nodes: list[Node] | None, *, with_reasoning: bool
) -> Iterator[str]:
    from darkai_cli.history import export

    if nodes is None:
        yield from export.markdown(store, [conversation], with_reasoning=with_reasoning)
        return
    pieces = "".join(
        piece
        for node in nodes
        for piece in export.message_markdown(node, with_reasoning=with_reasoning)
    )
    yield pieces.removeprefix("\n")


def _show_rendered(
    store: Store, conversation: str, nodes: list[Node] | None, printer: Printer, config: Config
) -> None:
    from darkai_cli.history import describe
    from darkai_cli.history import tree as library

    row = store.conversation(conversation)
    numbers = _numbers(store, conversation)
    visible = library.branch(store, conversation) if nodes is None else nodes
    about = [row.short, local_time(row.created), plural(row.turns, "turn")]
    printer.lines([
        printer.styled("bold", safe_line(row.title) or "(no title)"),
        printer.styled("dim", ", ".join(about)),
    ])  # fmt: skip
    render = _renderer(printer, config)
    for node in visible:
        _show_speaker(node, numbers, printer)
        _show_reasoning(node, printer, config.reasoning)
        _show_text(node, printer, render)
    hidden = describe.other_branches(store, conversation, visible) if nodes is None else None
    if hidden:
        tip = f"`darkai history tree {row.short}`"
        rows = [f"{hidden[:-1]}: {tip}"] if printer.width >= NARROW else [hidden, tip]
        printer.lines(["", *(printer.styled("dim", row) for row in rows)])


def _show_speaker(node: Node, numbers: dict[str, int], printer: Printer) -> None:
    from darkai_cli.history import describe

    number = f"turn {numbers[node.turn.id]}, " if node.turn else ""
    when = number + local_time(node.created)
    speaker = tables.cut(safe_line(describe.speaker(node)), printer.width)
    room = max(0, printer.width - tables.cells(speaker) - 2)
    when = printer.styled("dim", tables.cut(when, room))
    printer.lines(["", f"{printer.styled('bold', speaker)}  {when}".rstrip(), ""])


def _show_reasoning(node: Node, printer: Printer, mode: str) -> None:
    """Print the reasoning, or that there is some, and a line for each tool call."""
    from darkai_cli.history import describe

    rows: list[str] = []
    if node.reasoning and mode == "show":
        for line in sanitize(node.reasoning).strip().split("\n"):
            rows += tables.wrapped(line.expandtabs(), printer.width)
    elif node.reasoning and mode != "hide":
        about = f"reasoning, {plural(len(node.reasoning.split()), 'word')}"
        rows += tables.wrapped(f"{about}: use `--reasoning show` to read it", printer.width)
    rows += [tables.cut(safe_line(call), printer.width) for call in describe.tool_use_lines(node)]
    if rows:
        printer.lines([*(printer.styled("dim", row) for row in rows), ""])


def _show_text(node: Node, printer: Printer, render: Callable[[str], str]) -> None:
    from darkai_cli.history import describe

    if node.role == "assistant":
        printer.write(render(node.text))
        for title, url in describe.sources(node):
            printer.lines(source_rows(safe_line(title), safe_line(url), printer.width))
    else:
        names = [safe_line(name) for name in describe.attachment_labels(node)]
        blank = [""] if names and node.text else []
        rows = [row for name in names for row in tables.wrapped(name, printer.width)]
        printer.lines(rows + blank)
        for line in sanitize(node.text).rstrip().split("\n") if node.text or not names else ():
            printer.lines(tables.wrapped(line.expandtabs(), printer.width))
    ending = node.turn and describe.ending(node.turn)
    if ending:
        blank = [""] if node.text else []
        rows = tables.wrapped(safe_line(ending), printer.width)
        printer.lines([*blank, *(printer.styled("warn", row) for row in rows)])


def source_rows(title: str, url: str, width: int) -> list[str]:
    """Return a source as lines; a URL is never broken, and is on a line of its own if need be."""
    line = f"- {title} <{url}>" if title else f"- <{url}>"
    if not title or tables.cells(line) <= width:
        return [line]
    first, *more = tables.wrapped(f"- {title}", width)
    return [first, *more, f"  <{url}>"]


def _renderer(printer: Printer, config: Config) -> Callable[[str], str]:
    """Return the function that renders a reply for this terminal."""
    from darkai_cli.conversation.sinks import markdown_style

    if not config.markdown:
        return lambda text: sanitize(text).rstrip() + "\n"
    from darkai_cli.output.terminal import render_static

    style = markdown_style(config)
    return lambda text: render_static(
        text,
        width=printer.width,
        color=printer.has_color,
        theme=style.theme,
        code_theme=config.code_theme,
        links=style.links,
        truecolor=style.truecolor,
    )


def _numbers(store: Store, conversation: str) -> dict[str, int]:
    """Return the number of each turn, by its id."""
    return {turn.id: number for number, turn in enumerate(store.turns(conversation), 1)}


def tree(
    identifier: Id = None,
) -> None:
    """Draw the branches; `*` marks the active one."""
    from darkai_cli.history import tree as library

    arguments.check_ids(identifier)
    with arguments.required_store() as store:
        conversation = store.conversation(arguments.conversation_id(store, identifier))
        numbers = _numbers(store, conversation.id)
        active = [node.id for node in library.branch(store, conversation.id)]
        drawn = library.draw(library.nodes(store, conversation.id), active)
    printer = Printer()
    if printer.is_terminal:
        title = tables.cut(safe_line(conversation.title), printer.width)
        printer.lines([printer.styled("bold", title)])
        printer.lines([tree_row(line, numbers, printer.width, printer.styled) for line in drawn])
        return
    for mark, node in (("*" if line.active else "", line.node) for line in drawn):
        turn = node.turn
        number, model, state = (numbers[turn.id], turn.model, turn.state) if turn else ("", "", "")
        printer.record(mark, number, node.id, node.parent, node.role, model, state, node.text)


def tree_row(line: TreeRow, numbers: dict[str, int], width: int, styled: tables.Styler) -> str:
    """Return a message of the tree as one row: rails, turn, speaker, beginning of the text."""
    from darkai_cli.history import describe

    node, turn = line.node, line.node.turn
    rails = tables.cut(line.rails, max(0, width // 2))
    mark = "* " if line.active else "  "
    speaker = "you" if node.role == "user" else node.role
    if turn:
        speaker = safe_line(turn.model or "assistant")
    number = f"[{numbers[turn.id]}] " if turn else ""
    state = f"({turn.state}) " if turn and turn.state != "complete" else ""
    room = width - len(mark) - tables.cells(rails) - len(number) - len(state)
    speaker = tables.cut(speaker, max(4, min(room // 2, 24))) + ": "
    content = " ".join([*describe.attachment_labels(node), node.text[:2000]])
    text = tables.cut(safe_line(content), max(1, room - tables.cells(speaker)))
    parts = [
        ("info", mark), ("dim", rails), ("id", number), ("bold" if line.active else "dim", speaker),
    ]  # fmt: skip
    if turn and state:
        parts.append((STATES[turn.state], state))
    return ("".join(styled(*part) for part in parts) + text).rstrip()


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="Turn number, ID:NUMBER or ID.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other one, in the same form.")],
    branch: Annotated[
        bool,
        typer.Option("--branch", help="Compare everything up to there, not only the replies."),
    ] = False,
) -> None:
    """Compare two replies, or two conversations."""
    import difflib

    arguments.check_ids(first, second)
    with arguments.required_store() as store:
        old, new = (_side(store, argument, branch=branch) for argument in (first, second))
    printer = Printer()
    rows = list(difflib.unified_diff(old, new, fromfile=first, tofile=second, lineterm=""))
    if not rows:
        note(f"`{first}` and `{second}` are the same")
    if not printer.is_terminal:
        printer.lines(rows)
        return

    for at, row in enumerate(rows):
        style = "bold" if at < 2 else _MARKS.get(row[:1], "")
        printer.lines([printer.styled(style, sanitize(row))])


def _side(store: Store, argument: str, *, branch: bool) -> list[str]:
    """Return the lines of what is compared. Raises ``NotFoundError``."""
    from darkai_cli.history import describe
    from darkai_cli.history import tree as library

    prefix, colon, number = argument.rpartition(":")
    is_number = re.fullmatch(r"\d{1,6}", number, re.ASCII)  # a short id has seven characters
    if colon and not is_number:
        raise NotFoundError(
            f"`{argument}` has no turn number after the colon", hint="Turn 2 is `ID:2`"
        )
    conversation = arguments.conversation_id(store, (prefix if is_number else argument) or None)
    if not is_number:
        nodes = library.branch(store, conversation)
    elif branch:
        reply = _turn(store, conversation, int(number))[-1].id
        nodes = library.branch(store, conversation, reply)
    else:
        return _turn(store, conversation, int(number))[-1].text.splitlines()
    text = "\n\n".join(
        f"## {safe_line(describe.speaker(node))}\n\n{node.text.rstrip()}" for node in nodes
    )
    return text.splitlines()
