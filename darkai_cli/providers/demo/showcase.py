"""A page with every Markdown construct, and texts of any length, for the demo provider."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from darkai_cli.providers.demo.jokes import JOKES

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def long_text(words: int) -> Iterator[str]:
    """Yield Markdown of at least ``words`` words: the jokes in turn, up to the end of one.

    A word is what stands between blanks. The text is made joke by joke, so that a reply of a
    hundred thousand words costs no more memory than one of a hundred.
    """
    block = f"# A text of about {words} words\n"
    made = 0
    for number in count(1):
        yield block
        made += len(block.split())
        if made >= words:
            return
        joke = JOKES[(number - 1) % len(JOKES)]
        block = f"\n## {number}. {joke.topic}\n\n{joke.text}\n"
