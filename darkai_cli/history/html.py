"""Make one web page of conversations, without scripts, fonts or anything from the network.

All text is escaped: prompts are shown as they were entered, replies as Markdown without raw HTML or
images. Control and direction characters become visible. The images of a prompt are in the page
itself. A content policy in it forbids anything that might slip through. Light or dark is the
reader's setting. Markdown and colors need markdown-it and Pygments, which come with Rich; without
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
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""The media types that are shown. SVG is a document that could hold scripts."""
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSEEN = {*range(9), *range(11, 32), *range(0x7F, 0xA0), *map(ord, _DIRECTIONS)}
_VISIBLE = {code: f"⟨U+{code:04X}⟩" for code in _UNSEEN}

Render = Callable[[str], str]


def page(store: Store, conversations: Iterable[str]) -> Iterator[str]:
    """Yield the page in pieces."""
    identifiers = list(conversations)
    single = len(identifiers) == 1
    title = store.conversation(identifiers[0]).title if single else "Conversations"
    yield _visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{_code_style()}</style>\n</head>\n<body>\n"
    )
    render = _renderer()
    for identifier in identifiers:
        yield from (_visible(part) for part in _conversation(store, identifier, render))
    yield "</body>\n</html>\n"


def _visible(text: str) -> str:
    """Return HTML with control characters made visible.

    This works on finished HTML, because Markdown also makes characters from entities.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def _conversation(store: Store, identifier: str, render: Render) -> Iterator[str]:
    conversation = store.conversation(identifier)
    yield f"<section>\n<h1>{escape(conversation.title) or 'Untitled'}</h1>\n"
    yield f'<p class="meta">{escape(describe.summary(conversation))}</p>\n'
    system = None
    branch = tree.branch(store, identifier)
    for node in branch:
        if node.turn is not None and node.turn.system not in (None, system):
            system = node.turn.system
            yield _folded("System prompt", system or "")
        yield from _message(store, node, render)
    others = describe.other_branches(store, identifier, branch)
    if others:
        yield f'<p class="meta">{escape(others)}</p>\n'
    yield "</section>\n"


def _message(store: Store, node: Node, render: Render) -> Iterator[str]:
    speaker = escape(describe.speaker(node))
    yield f'<article class="{node.role}">\n<div class="who">{speaker}</div>\n'
    for attachment, image in zip(node.attachments, tree.images(store, node), strict=True):
        yield from _picture(attachment, image)
    yield from _content(node, render)
    yield "</article>\n"


def _picture(attachment: Attachment, image: Image) -> Iterator[str]:
    label = escape(describe.attachment_label(attachment))
    if image.media_type not in _IMAGE_TYPES:
        yield f'<p class="meta">{label}</p>\n'
        return
    source = f"data:{image.media_type};base64,{image.base64}"
    yield f'<figure><img src="{source}" alt="{escape(image.name)}">'
    yield f'<figcaption class="meta">{label}</figcaption></figure>\n'


def _content(node: Node, render: Render) -> Iterator[str]:
    if node.reasoning:
        yield _folded("Reasoning", node.reasoning)
    for use in describe.tool_uses(node):
        yield from _tool_use(use)
    if node.role == "assistant":
        yield f'<div class="text">{render(node.text)}</div>\n'
    elif node.text or not node.attachments:
        yield f'<div class="text plain">{escape(node.text)}</div>\n'
    for title, url in describe.sources(node):
        yield _source(title, url)
    ending = node.turn and describe.ending(node.turn)
    if ending:
        yield f'<p class="ending">{escape(ending)}</p>\n'


def _tool_use(use: describe.ToolUse) -> Iterator[str]:
    """Yield a tool call and its result, folded."""
    name = f"<code>{escape(use.name)}</code>"
    if use.arguments is not None:
        suffix = " (failed)" if use.failed else ""
        arguments = escape(describe.indented(use.arguments))
        yield f"<details><summary>Called {name}{suffix}</summary>"
        yield f"<pre><code>{arguments}</code></pre>"
    else:
        yield f"<details><summary>Result of {name}</summary>"
    if use.output is not None:
        label = "Error:" if use.failed else "Result:"
        yield f'<p class="meta">{label}</p><pre><code>{escape(use.output)}</code></pre>'
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
    """Return code as escaped HTML; empty if it can't be colored (markdown-it escapes it then)."""
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
