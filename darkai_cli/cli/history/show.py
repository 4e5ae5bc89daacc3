"""``history show``, ``tree`` and ``diff``: one conversation, all of it.

Turns are numbered in the order in which they were asked, all branches together, so that a number
stays what it is when a branch grows. On a terminal a prompt is shown as it was typed and a reply
is rendered, each for itself: a fence that a cut reply left open does not swallow the next message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkai_cli.cli import print as printing
from darkai_cli.cli import tables
from darkai_cli.cli.history import arguments
from darkai_cli.errors import NotFoundError
from darkai_cli.output import notices
from darkai_cli.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from darkai_cli.cli.print import Screen
    from darkai_cli.config import Config
    from darkai_cli.history.store import Store
    from darkai_cli.history.tree import Line, Node

Id = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="Otherwise the latest.", show_default=False),
]
NARROW = 72
"""Below so many columns a hint is on a line of its own."""

_MARKS = {"-": "bad", "+": "good", "@": "info"}


def show(
    identifier: Id = None,
    turn: Annotated[
        int | None,
        typer.Option("--turn", metavar="N", help="Only this turn; -1 is the last."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Markdown, even on a terminal.")] = False,
    reasoning: Annotated[
        str | None,
        typer.Option(
            "--reasoning",
            metavar="show|fold|hide",
            help="The model's reasoning; fold on a terminal.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show a conversation."""
    from darkai_cli.config.load import load

    arguments.named(identifier)
    wanted = load({"reasoning": reasoning}).reasoning if reasoning is not None else "hide"
    with arguments.required() as store:
        found = arguments.chosen(store, identifier)
        nodes = None if turn is None else _turn(store, found, turn)
        screen = printing.Screen()
        if json:
            screen.json(_object(store, found, nodes))
        elif screen.terminal and not raw:
            _show_rendered(store, found, nodes, screen, load({"reasoning": reasoning}))
        else:
            from darkai_cli.output.sanitize import sanitize

            for piece in _markdown(store, found, nodes, with_reasoning=wanted == "show"):
                screen.write(sanitize(piece) if screen.terminal else piece)


def _turn(store: Store, conversation: str, number: int) -> list[Node]:
    """The messages of a turn: its prompt and its reply. Raises ``NotFoundError``."""
    from darkai_cli.history import tree as library

    turns = store.turns(conversation)
    if not 1 <= (number if number > 0 else len(turns) + 1 + number) <= len(turns) or not number:
        raise NotFoundError(
            f"there is no turn {number}, the conversation has {plural(len(turns), 'turn')}",
            hint=f"`darkai history tree {store.short(conversation)}` numbers them",
        )
    wanted = turns[number - 1 if number > 0 else number]
    return [
        node
        for node in library.nodes(store, conversation)
        if node.id in (wanted.prompt, wanted.reply)
    ]


def _object(store: Store, conversation: str, nodes: list[Node] | None) -> dict[str, Any]:
    """What JSON export has of a conversation; of some messages of it, if they are given.

    Without the data of what goes along with them.
    """
    from darkai_cli.history import export

    whole = export.whole(store, conversation, with_data=False)
    if nodes is not None:
        names = {node.id for node in nodes}
        whole["messages"] = [one for one in whole["messages"] if one["id"] in names]
        whole["turns"] = [one for one in whole["turns"] if one["reply"] in names]
    return whole


def _markdown(
    store: Store, conversation: str, nodes: list[Node] | None, *, with_reasoning: bool
) -> Iterator[str]:
    from darkai_cli.history import export

    if nodes is None:
        yield from export.markdown(store, [conversation], with_reasoning=with_reasoning)
        return
    pieces = "".join(
        piece for node in nodes for piece in export.said(node, with_reasoning=with_reasoning)
    )
    yield pieces.removeprefix("\n")


def _show_rendered(
    store: Store, conversation: str, nodes: list[Node] | None, screen: Screen, config: Config
) -> None:
    from darkai_cli.history import describe
    from darkai_cli.history import tree as library

    found = store.conversation(conversation)
    numbers = _numbers(store, conversation)
    shown = library.branch(store, conversation) if nodes is None else nodes
    about = [found.short, printing.local(found.created), plural(found.turns, "turn")]
    screen.lines([
        screen.ink("bold", printing.one_line(found.title) or "(no title)"),
        screen.ink("dim", ", ".join(about)),
    ])  # fmt: skip
    render = _renderer(screen, config)
    for node in shown:
        _show_speaker(node, numbers, screen)
        _show_reasoning(node, screen, config.reasoning)
        _show_text(node, screen, render)
    hidden = describe.hidden_messages(store, conversation, shown) if nodes is None else None
    if hidden:
        tip = f"`darkai history tree {found.short}`"
        rows = [f"{hidden[:-1]}: {tip}"] if screen.width >= NARROW else [hidden, tip]
        screen.lines(["", *(screen.ink("dim", row) for row in rows)])


def _show_speaker(node: Node, numbers: dict[str, int], screen: Screen) -> None:
    from darkai_cli.history import describe

    number = f"turn {numbers[node.turn.id]}, " if node.turn else ""
    when = number + printing.local(node.created)
    who = tables.cut(printing.one_line(describe.speaker(node)), screen.width)
    room = max(0, screen.width - tables.cells(who) - 2)
    when = screen.ink("dim", tables.cut(when, room))
    screen.lines(["", f"{screen.ink('bold', who)}  {when}".rstrip(), ""])


def _show_reasoning(node: Node, screen: Screen, wanted: str) -> None:
    """The reasoning, dim, or that there is some; and a line for each tool call."""
    from darkai_cli.history import describe
    from darkai_cli.output.sanitize import sanitize

    rows: list[str] = []
    if node.reasoning and wanted == "show":
        for line in sanitize(node.reasoning).strip().split("\n"):
            rows += tables.wrapped(line.expandtabs(), screen.width)
    elif node.reasoning and wanted != "hide":
        about = f"reasoning, {plural(len(node.reasoning.split()), 'word')}"
        rows += tables.wrapped(f"{about}: `--reasoning show` shows it", screen.width)
    rows += [tables.cut(printing.one_line(call), screen.width) for call in describe.calls(node)]
    if rows:
        screen.lines([*(screen.ink("dim", row) for row in rows), ""])


def _show_text(node: Node, screen: Screen, render: Callable[[str], str]) -> None:
    from darkai_cli.history import describe
    from darkai_cli.output.sanitize import sanitize

    if node.role == "assistant":
        screen.write(render(node.text))
        for title, url in describe.sources(node):
            screen.lines(
                source_rows(printing.one_line(title), printing.one_line(url), screen.width)
            )
    else:
        names = [printing.one_line(named) for named in describe.attached(node)]
        blank = [""] if names and node.text else []
        screen.lines([row for name in names for row in tables.wrapped(name, screen.width)] + blank)
        for line in sanitize(node.text).rstrip().split("\n") if node.text or not names else ():
            screen.lines(tables.wrapped(line.expandtabs(), screen.width))
    told = node.turn and describe.ending(node.turn)
    if told:
        blank = [""] if node.text else []
        rows = tables.wrapped(printing.one_line(told), screen.width)
        screen.lines([*blank, *(screen.ink("warn", row) for row in rows)])


def source_rows(title: str, url: str, width: int) -> list[str]:
    """A source on a line; if that is too long its address, which is not broken, on its own."""
    whole = f"- {title} <{url}>" if title else f"- <{url}>"
    if not title or tables.cells(whole) <= width:
        return [whole]
    first, *more = tables.wrapped(f"- {title}", width)
    return [first, *more, f"  <{url}>"]


def _renderer(screen: Screen, config: Config) -> Callable[[str], str]:
    """What makes terminal text of a reply, as the config wants it."""
    from darkai_cli.conversation import sinks
    from darkai_cli.output.sanitize import sanitize

    if not config.markdown:
        return lambda text: sanitize(text).rstrip() + "\n"
    from darkai_cli.output.terminal import render_static

    look = sinks.look(config)
    return lambda text: render_static(
        text,
        width=screen.width,
        colour=screen.colour,
        theme=look.theme,
        code_theme=config.code_theme,
        links=look.links,
        truecolor=look.truecolor,
    )


def _numbers(store: Store, conversation: str) -> dict[str, int]:
    """The number of each turn, by its id."""
    return {turn.id: number for number, turn in enumerate(store.turns(conversation), 1)}


def tree(
    identifier: Id = None,
) -> None:
    """Draw the branches; `*` marks the active one."""
    from darkai_cli.history import tree as library

    arguments.named(identifier)
    with arguments.required() as store:
        found = store.conversation(arguments.chosen(store, identifier))
        numbers = _numbers(store, found.id)
        active = [node.id for node in library.branch(store, found.id)]
        drawn = library.draw(library.nodes(store, found.id), active)
    screen = printing.Screen()
    if screen.terminal:
        screen.lines([screen.ink("bold", tables.cut(printing.one_line(found.title), screen.width))])
        screen.lines([tree_row(line, numbers, screen.width, screen.ink) for line in drawn])
        return
    for mark, node in (("*" if line.active else "", line.node) for line in drawn):
        made = node.turn
        number, model, state = (numbers[made.id], made.model, made.state) if made else ("", "", "")
        screen.record(mark, number, node.id, node.parent, node.role, model, state, node.text)


def tree_row(line: Line, numbers: dict[str, int], width: int, ink: tables.Ink) -> str:
    """A message of the tree as one row: where it stands, who says it, how it begins."""
    from darkai_cli.history import describe

    node, made = line.node, line.node.turn
    rails = tables.cut(line.rails, max(0, width // 2))
    mark = "* " if line.active else "  "
    who = printing.one_line(made.model or "assistant") if made else _WHO.get(node.role, node.role)
    number = f"[{numbers[made.id]}] " if made else ""
    state = f"({made.state}) " if made and made.state != "complete" else ""
    left = width - len(mark) - tables.cells(rails) - len(number) - len(state)
    who = tables.cut(who, max(4, min(left // 2, 24))) + ": "
    begins = " ".join([*describe.attached(node), node.text[:2000]])
    text = tables.cut(printing.one_line(begins), max(1, left - tables.cells(who)))
    style = "bold" if line.active else "dim"
    painted_state = ink(printing.STATES[made.state], state) if made and state else ""
    head = f"{ink('info', mark)}{ink('dim', rails)}{ink('id', number)}{ink(style, who)}"
    return f"{head}{painted_state}{text}".rstrip()


_WHO = {"user": "you"}


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A turn's number, ID:NUMBER or ID.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    branch: Annotated[
        bool,
        typer.Option("--branch", help="All that was said up to there, not only the reply."),
    ] = False,
) -> None:
    """Compare two replies, or two conversations."""
    import difflib

    arguments.named(first, second)
    with arguments.required() as store:
        old, new = (_side(store, typed, branch=branch) for typed in (first, second))
    screen = printing.Screen()
    rows = list(difflib.unified_diff(old, new, fromfile=first, tofile=second, lineterm=""))
    if not rows:
        notices.tell("note", f"`{first}` and `{second}` say the same")
    if not screen.terminal:
        screen.lines(rows)
        return
    from darkai_cli.output.sanitize import sanitize

    for at, row in enumerate(rows):
        style = "bold" if at < 2 else _MARKS.get(row[:1], "")
        screen.lines([screen.ink(style, sanitize(row))])


def _side(store: Store, typed: str, *, branch: bool) -> list[str]:
    """The lines of what is compared. Raises ``NotFoundError``."""
    from darkai_cli.history import tree as library

    where, colon, number = typed.rpartition(":")
    is_number = re.fullmatch(r"\d{1,6}", number, re.ASCII)  # a short id has seven characters
    if colon and not is_number:
        raise NotFoundError(f"`{typed}` has no number after the colon", hint="`ID:2` is turn 2")
    conversation = arguments.chosen(store, (where if is_number else typed) or None)
    if not is_number:
        nodes = library.branch(store, conversation)
    elif branch:
        reply = _turn(store, conversation, int(number))[-1].id
        nodes = library.branch(store, conversation, reply)
    else:
        return _turn(store, conversation, int(number))[-1].text.splitlines()
    text = "\n\n".join(f"## {_speaker(node)}\n\n{node.text.rstrip()}" for node in nodes)
    return text.splitlines()


def _speaker(node: Node) -> str:
    from darkai_cli.history.describe import speaker

    return printing.one_line(speaker(node))
