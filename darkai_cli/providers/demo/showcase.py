"""What the demo provider can show off: a page of every Markdown construct, texts of any length.

No matching and no chance in here. ``long_text`` is a generator that builds one block at a time, so
that a reply of a hundred thousand words costs no more memory than one of a hundred. Its sentences
are put together from word lists by a small linear congruential generator, always in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 200_000
"""The most words of ``long_text``: above, a reply would pass the bound of 16 MiB."""

MARKDOWN = r"""# Every construct, once

This page is the *demo* provider's **Markdown showcase**. It was written by hand, it is the same
each time, and it has one of ***everything***, ~~except modesty~~.

Setext heading, level 1
=======================

Setext heading, level 2
-----------------------

### Heading, level 3
#### Heading with `code`, level 4
##### Heading, level 5
###### Heading, level 6

## Text

*Emphasis* and _emphasis_, **strong** and __strong__, ***both at once***, ~~struck out~~,
`inline code`, ``code with a ` tick``, and intra*word*emphasis but not snake_case_names.

A line with two spaces at its end  
is broken there; so is one with a backslash\
at its end. A plain line end
is only a space.

Escaped: \*no emphasis\*, \`no code\`, 1\. no list. Entities: &amp; &lt; &copy; &hellip; &#8594;

Long words have to be broken somewhere: `/usr/share/somewhere/rather/deep/in/a/tree/with/many/levels/and/a/file-name-that-never-ends.tar.gz`
and Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft.

Wide and unusual letters: 日本語のテキスト, 한국어, ελληνικά, кириллица, 👩‍🚀 👍🏽 🇪🇺, e&#769; and é,
and some that run from right to left: שלום עולם, مرحبا بالعالم.

## Links and images

An [inline link](https://example.org/page "with a title"), a [reference][ref], an automatic one:
<https://example.org/auto>, a bare one: https://example.org/bare, an address:
<someone@example.org>, and an image: ![a lighthouse at dusk](https://example.org/lighthouse.png).

[ref]: https://example.org/reference

## Lists

- one
- two
  - two and a half
    - two and three quarters, with a text that is long enough to be wrapped on most terminals, so that its second line shows where it is indented to
  - nearly three
- three

  A second paragraph that belongs to *three*.

1. first
2. second
   1. second, part one
   2. second, part two
      - and a bullet in it
3. third

9. A list can start at nine
10. and grow a digit.

- [x] a task that is done
- [ ] a task that is not
  - [x] although this part of it is

## Quotes

> A quote, with **strong** words and `code`,
> over two lines.
>
> > A quote in the quote.
> >
> > - with a list
> > - in it
>
> ```python
> print("and code in a quote")
> ```

## Code

```python
from collections.abc import Iterator


def countdown(start: int) -> Iterator[int]:
    '''Yield start, start - 1, ... 1.'''
    while start > 0:
        yield start  # lazily
        start -= 1
```

```bash
git diff --staged | darkai ask "write a commit message" > message.txt || echo "exit code $?"
```

```json
{"event": "text-chunk", "data": {"text": "Hello", "more": [1, 2.5, true, null]}}
```

```diff
--- a/greeting.txt
+++ b/greeting.txt
@@ -1 +1 @@
-Hello
+Hello, world
```

```
A fence without a language, a	tab in it, and one long line: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789
```

~~~klingon
a language that no highlighter knows, between tildes
~~~

````markdown
```python
print("a fence in a fence")
```
````

    Indented code: four spaces,
        and what is *in* it stays as it is.

## Tables

| left | centre | right | plain |
|:-----|:------:|------:|-------|
| a    |   b    |   1.5 | *emphasis* and `code` |
| longer text in a cell, long enough to be wrapped when the window is narrow | 日本 | 1,024.0 | a \| in a cell |
|      | empty cells | -3 |

| one column |
|---|
| one row |

## Rules

Above the rule.

---

Between.

***

Below.

## Footnotes, HTML, maths

A claim[^1] and a second one[^note].

[^1]: The first footnote.
[^note]: The second one has a name, and *emphasis*.

<div align="center">HTML is shown <b>as it is written</b>.</div>

Inline <kbd>Ctrl</kbd>+<kbd>C</kbd>, too. <!-- and a comment -->

Inline maths $e^{i\pi} + 1 = 0$ and \(a^2 + b^2 = c^2\), and a block of it:

$$
\sum_{k=1}^{n} k = \frac{n (n + 1)}{2}
$$

That was everything. `long 500` has more of it.
"""  # noqa: E501, W291 -- long lines and two blanks at an end are what it shows

_SUBJECTS = (
    "the patient shell", "a quiet pipe", "every second packet", "the oldest gateway", "one cursor",
    "the night shift", "a well-read buffer", "the river below", "an honest compiler",
    "my neighbour", "the last lighthouse", "a careful scheduler", "the smallest daemon",
    "her favourite script", "the stream", "a distant server", "the gardener",
    "some forgotten process", "the printer",
)  # fmt: skip
_VERBS = (
    "carries", "remembers", "waits for", "counts", "repairs", "sends home", "listens to",
    "follows", "sorts", "wakes", "paints", "measures", "answers", "holds", "looks after",
    "sings to", "leads",
)  # fmt: skip
_OBJECTS = (
    "the morning log", "three small files", "a letter without an address", "the blue terminal",
    "its own echo", "the longest line", "a handful of bytes", "the empty queue", "two clocks",
    "the far side of the bridge", "an almost complete list", "the weather", "a borrowed key",
    "the silence between two chunks", "half a sandwich", "the next signal", "a very long name",
    "the way back", "a map of the harbour", "every open door", "the tide", "a spare cable",
)  # fmt: skip
_ENDINGS = (
    "", "", "", "", " before breakfast", ", one word at a time", " without being asked",
    " and says nothing", ", as it always has", " until the lights go out", " and starts again",
    ", more or less", " on the way to the sea",
)  # fmt: skip
_MARKS = ("**{}**", "*{}*", "`{}`", "~~{}~~", "[{}](https://example.org/)", "***{}***")


class _Words:
    """Sentences in an order that is always the same."""

    def __init__(self) -> None:
        self._state = 20_240_131

    def number(self, below: int) -> int:
        """The next number, 0 <= n < ``below``."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % below

    def one(self, words: Sequence[str]) -> str:
        """The next choice among ``words``."""
        return words[self.number(len(words))]

    def sentence(self) -> str:
        """A sentence, now and then with some inline markup in it."""
        thing = self.one(_OBJECTS)
        if self.number(4) == 0:
            thing = self.one(_MARKS).format(thing)
        text = f"{self.one(_SUBJECTS)} {self.one(_VERBS)} {thing}{self.one(_ENDINGS)}."
        return text[0].upper() + text[1:]

    def paragraph(self) -> str:
        """Three to six sentences on one line."""
        return " ".join(self.sentence() for _ in range(3 + self.number(4)))

    def phrase(self) -> str:
        """A few words."""
        return self.one(_OBJECTS)


def _bullets(words: _Words, _number: int) -> str:
    lines = [f"- {words.sentence()}" for _ in range(3)]
    return "\n".join([*lines, f"  - {words.phrase()}", f"  - {words.phrase()}"])


def _steps(words: _Words, _number: int) -> str:
    return "\n".join(f"{step}. {words.sentence()}" for step in (1, 2, 3, 4))


def _tasks(words: _Words, _number: int) -> str:
    return "\n".join(f"- [{mark}] {words.phrase()}" for mark in ("x", " ", "x"))


def _quote(words: _Words, _number: int) -> str:
    return f"> {words.paragraph()}\n>\n> > {words.sentence()}"


def _table(words: _Words, _number: int) -> str:
    rows = [
        f"| {words.phrase()} | {words.number(1000)} | {words.one(_SUBJECTS)} |" for _ in range(4)
    ]
    return "\n".join(["| what | how many | who |", "|:-----|---------:|:---:|", *rows])


def _code(words: _Words, number: int) -> str:
    what, count = words.phrase(), words.number(100)
    lines = [
        "```python",
        f"def part_{number}(count: int = {count}) -> list[str]:",
        f'    """Hold {what}."""',
        f'    return [f"{{index}}: {what}" for index in range(count)]  # {words.phrase()}',
        "```",
    ]
    return "\n".join(lines)


def _plain(words: _Words, _number: int) -> str:
    return words.paragraph()


def _heading(words: _Words, number: int) -> str:
    return f"{'###' if number % 3 else '##'} {number}. {words.phrase().capitalize()}"


_BLOCKS: tuple[Callable[[_Words, int], str], ...] = (
    _plain, _heading, _plain, _bullets, _plain, _code, _heading, _plain, _quote, _table,
    _plain, _steps, _heading, _plain, _tasks, lambda _words, _number: "---",
)  # fmt: skip


def long_text(words: int) -> Iterator[str]:
    """Markdown of at least ``words`` words, ending with the block in which they are reached.

    A word is what stands between blanks, marks such as ``-`` and ``|`` included. Block by block.
    """
    source = _Words()
    made = 0
    block = f"# A text of about {words} words"
    number = 0
    while True:
        yield block + "\n"
        made += len(block.split())
        if made >= words:
            return
        yield "\n"
        block = _BLOCKS[number % len(_BLOCKS)](source, number + 1)
        number += 1
