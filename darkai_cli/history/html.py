"""Conversations as one web page that needs nothing else: no script, no font, no network.

All text is escaped: prompts are shown as typed, replies as Markdown without raw HTML or images,
and control or direction characters become visible. The pictures that went along with a prompt are
in the page itself. A content policy in it forbids whatever might slip through. Light or dark is the
reader's setting. Markdown and colours need markdown-it and Pygments, which come with Rich; without
them the text is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape

from darkai_cli.history import describe, tree
from darkai_cli.history.store import Store
from darkai_cli.history.tree import Attachment, Node
from darkai_cli.messages import Image

_STYLE = """
:root { color-scheme: light dark; --fg: #1c1e21; --bg: #fdfdfc; --soft: #f0f1f3; --line: #d5d8dc;
  --dim: #5c636b; --link: #0b57a4; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --fg: #e3e5e8; --bg: #16181b; --soft: #212529;
  --line: #3a4047; --dim: #9aa3ad; --link: #7ab8ff; --warn: #f0b060; } }
* { box-sizing: border-box; }
body { color: var(--fg); background: var(--bg); font: 16px/1.55 system-ui, sans-serif;
  max-width: 48rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 2.5rem 0 .25rem; }
.meta, .who { color: var(--dim); font-size: .85rem; }
.who { font-weight: 600; margin-bottom: .25rem; }
article { margin: 1.25rem 0; }
.user { background: var(--soft); border-radius: .5rem; padding: .75rem 1rem; }
.plain { white-space: pre-wrap; }
.text > :first-child { margin-top: 0; } .text > :last-child { margin-bottom: 0; }
.text h1, .text h2, .text h3 { font-size: 1.1rem; margin: 1.2rem 0 .4rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem;
  padding: .75rem; overflow-x: auto; }
code { font: .875em/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
:not(pre) > code { background: var(--soft); border-radius: .25rem; padding: .1em .3em; }
blockquote { margin: .75rem 0; padding-left: 1rem; border-left: 3px solid var(--line);
  color: var(--dim); }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; }
a { color: var(--link); }
details { color: var(--dim); margin: .5rem 0; }
details pre { max-height: 30rem; white-space: pre-wrap; }
figure { margin: 0 0 .75rem; }
img { display: block; max-width: 100%; max-height: 80vh; border-radius: .4rem; }
.ending { color: var(--warn); font-size: .9rem; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""The media types that are shown. Not SVG, which is a document."""
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSEEN = {*range(9), *range(11, 32), *range(0x7F, 0xA0), *map(ord, _DIRECTIONS)}
_VISIBLE = {code: f"⟨U+{code:04X}⟩" for code in _UNSEEN}

Render = Callable[[str], str]


def page(store: Store, conversations: Iterable[str]) -> Iterator[str]:
    """The page, piece by piece."""
    chosen = list(conversations)
    title = store.conversation(chosen[0]).title if len(chosen) == 1 else "Conversations"
    yield _visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{_code_style()}</style>\n</head>\n<body>\n"
    )
    render = _renderer()
    for identifier in chosen:
        yield from (_visible(part) for part in _conversation(store, identifier, render))
    yield "</body>\n</html>\n"


def _visible(text: str) -> str:
    # on the finished page, because Markdown also makes characters from entities
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def _conversation(store: Store, identifier: str, render: Render) -> Iterator[str]:
    found = store.conversation(identifier)
    yield f"<section>\n<h1>{escape(found.title) or 'Untitled'}</h1>\n"
    yield f'<p class="meta">{escape(describe.summary(found))}</p>\n'
    system = None
    shown = tree.branch(store, identifier)
    for node in shown:
        if node.turn is not None and node.turn.system not in (None, system):
            system = node.turn.system
            yield _folded("System prompt", system or "")
        yield from _message(store, node, render)
    hidden = describe.hidden_messages(store, identifier, shown)
    if hidden:
        yield f'<p class="meta">{escape(hidden)}</p>\n'
    yield "</section>\n"


def _message(store: Store, node: Node, render: Render) -> Iterator[str]:
    speaker = escape(describe.speaker(node))
    yield f'<article class="{node.role}">\n<div class="who">{speaker}</div>\n'
    for one, image in zip(node.attachments, tree.images(store, node), strict=True):
        yield from _picture(one, image)
    yield from _said(node, render)
    yield "</article>\n"


def _picture(one: Attachment, image: Image) -> Iterator[str]:
    label = escape(describe.what(one))
    if image.media_type not in _SHOWN:
        yield f'<p class="meta">{label}</p>\n'
        return
    source = f"data:{image.media_type};base64,{image.base64}"
    yield f'<figure><img src="{source}" alt="{escape(image.name)}">'
    yield f'<figcaption class="meta">{label}</figcaption></figure>\n'


def _said(node: Node, render: Render) -> Iterator[str]:
    if node.reasoning:
        yield _folded("Reasoning", node.reasoning)
    made = describe.called(node)
    for one in made:
        yield from _call(one)
    if node.role == "assistant":
        yield f'<div class="text">{render(node.text)}</div>\n'
    elif node.text or not node.attachments:
        yield f'<div class="text plain">{escape(node.text)}</div>\n'
    for title, url in describe.sources(node):
        yield _source(title, url)
    told = node.turn and describe.ending(node.turn)
    if told:
        yield f'<p class="ending">{escape(told)}</p>\n'


def _call(one: describe.Called) -> Iterator[str]:
    """A tool call and what came of it, folded."""
    name = f"<code>{escape(one.name)}</code>"
    if one.arguments is not None:
        how = " (failed)" if one.failed else ""
        given = escape(describe.spread(one.arguments))
        yield f"<details><summary>Called {name}{how}</summary><pre><code>{given}</code></pre>"
    else:
        yield f"<details><summary>Result of {name}</summary>"
    if one.output is not None:
        label = "It failed:" if one.failed else "It gave:"
        yield f'<p class="meta">{label}</p><pre><code>{escape(one.output)}</code></pre>'
    yield "</details>\n"


def _source(title: str, url: str) -> str:
    label = escape(title or url)
    if not url.startswith(("https://", "http://")):
        return f'<p class="meta">{label}</p>\n'
    return f'<p class="meta"><a href="{escape(url)}">{label}</a> {escape(url)}</p>\n'


def _folded(label: str, text: str) -> str:
    return (
        f"<details><summary>{escape(label)}</summary>"
        f'<div class="plain">{escape(text)}</div></details>\n'
    )


def _renderer() -> Render:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        return lambda text: f'<div class="plain">{escape(text)}</div>'
    parser = MarkdownIt(
        "commonmark", {"html": False, "highlight": lambda code, lang, _: _highlighted(code, lang)}
    )
    parser.enable(["table", "strikethrough"]).disable("image")
    return lambda text: str(parser.render(text))


def _highlighted(code: str, language: str) -> str:
    """Code as escaped HTML; empty where there are no colours for it (then it is escaped as is)."""
    try:
        from pygments import highlight  # type: ignore[import-untyped]
        from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]
        from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
        from pygments.util import ClassNotFound  # type: ignore[import-untyped]
    except ImportError:
        return ""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _code_style() -> str:
    try:
        from pygments.formatters.html import HtmlFormatter
    except ImportError:
        return ""
    light = HtmlFormatter(style="default").get_style_defs("pre")
    dark = HtmlFormatter(style="github-dark").get_style_defs("pre")
    rules = [
        "\n".join(rule for rule in style.splitlines() if rule.startswith("pre ."))
        for style in (light, dark)
    ]
    return f"{rules[0]}\n@media (prefers-color-scheme: dark) {{\n{rules[1]}\n}}\n"
