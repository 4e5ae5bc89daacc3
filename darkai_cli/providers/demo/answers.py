"""Match a prompt with what the demo provider can answer: jokes, greetings, echo, Markdown.

The demo is no language model. It recognizes a prompt as a whole (each of its words is known, or it
is one of a few sentences) or it has no answer; a prompt that merely contains a joke or a greeting
is about something else. The fallback asks ``can_answer`` first, so that a failed request for real
work stays a failed request.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli.providers.demo import jokes

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PROMPT = 200
"""Characters of a prompt; a longer one has a text in it that it is about."""

LONGEST = 200_000
"""The most words of ``long_text``: above, a reply would pass the bound of 16 MiB."""

CANNOT = (
    "I can't answer that. I'm the *demo* provider, a small offline demonstration inside darkai, not"
    " a language model: I can tell a `joke`, and show off with `markdown`, `echo TEXT` and"
    ' `long 500`. For anything else use a real service: `darkai ask -p darkai "..."`, or set'
    " `DARKAI_URL` to a server that speaks its protocol, such as `http://127.0.0.1:8080/chat`.\n"
)
"""The reply of a demo that was chosen by name and has no answer."""

_WHO = """\
I'm the *demo* provider: a small program inside darkai that works offline. I'm not a language \
model, I know nothing about the world, and the same prompt always gets the same reply. I can

- tell a joke: `joke`, or `joke 7` for number seven;
- show what a reply can look like: `markdown`;
- repeat what you say: `echo TEXT`;
- write a text of any length: `long 500` has about 500 words.

For anything else use a real service with `-p`, or a server of your own with `DARKAI_URL`.
"""

_GREETINGS = {
    "hi": "Hi", "hello": "Hello", "hey": "Hey", "howdy": "Howdy", "greetings": "Greetings",
    "good morning": "Good morning", "good afternoon": "Good afternoon",
    "good evening": "Good evening", "good day": "Good day", "hallo": "Hallo", "moin": "Moin",
    "servus": "Servus", "guten tag": "Guten Tag", "guten morgen": "Guten Morgen",
    "guten abend": "Guten Abend", "bonjour": "Bonjour", "salut": "Salut", "hola": "Hola",
    "buenos dias": "Buenos días", "ciao": "Ciao", "ola": "Olá", "hej": "Hej", "hoi": "Hoi",
}  # fmt: skip
_AFTER_GREETING = re.compile(r" (?:there|darkai|demo|you|everyone|everybody|all|world|again)$")

_SENTENCES: dict[str, frozenset[str]] = {
    _WHO: frozenset({
        "who are you", "what are you", "who r u", "what can you do", "what do you do", "help",
        "what is your name", "whats your name", "introduce yourself", "darkai help", "what is demo",
        "what is the demo provider", "what can demo do", "what can the demo provider do",
        "are you a bot", "are you a robot", "are you an ai", "are you a language model",
        "are you a model", "are you an llm", "are you human", "are you a human", "are you real",
        "are you chatgpt", "are you gpt", "which model are you", "what model are you",
        "who is this", "who am i talking to", "tell me about yourself", "wer bist du",
        "qui es tu", "quien eres", "chi sei",
    }),
    "I'm a program, so I'm exactly as I was the last time. Thank you for asking!\n": frozenset({
        "how are you", "how are you doing", "how are you today", "hows it going", "how do you do",
        "how is it going", "are you ok", "are you well", "whats up",
    }),
    "You're welcome!\n": frozenset({
        "thanks", "thank you", "thx", "thanks a lot", "many thanks", "thank you so much", "danke",
        "thank you very much", "thanks so much", "cheers", "merci", "gracias", "grazie", "obrigado",
        "obrigada", "danke schon", "vielen dank", "merci beaucoup", "muchas gracias", "bedankt",
    }),
    "Goodbye!\n": frozenset({
        "bye", "goodbye", "good bye", "bye bye", "see you", "see you later", "good night",
        "tschuss", "au revoir", "adios", "arrivederci",
    }),
    "I'm glad you liked it. Ask for `another joke` to get one more.\n": frozenset({
        "haha", "hahaha", "lol", "that was funny", "very funny", "that was a good joke",
        "that was a good one", "good joke", "nice joke", "good one", "great joke",
    }),
}  # fmt: skip

_JOKE_WORDS = frozenset({"joke", "jokes", "pun", "puns", "wisecrack", "oneliner"})
_AROUND_JOKE = frozenset({
    "a", "an", "another", "and", "any", "at", "be", "best", "but", "can", "cheer", "clean",
    "could", "cool", "crack", "darkai", "demo", "do", "else", "fancy", "favorite",
    "favourite", "for", "friendly", "fun", "funny", "give", "good", "got", "great", "had",
    "have", "hear", "hello", "hey", "hi", "i", "id", "in", "kind", "know", "laugh", "let",
    "lets", "like", "lovely", "make", "me", "mind", "more", "my", "need", "new", "next",
    "nice", "now", "of", "ok", "okay", "one", "or", "please", "quick", "random", "say",
    "short", "share", "silly", "small", "some", "something", "tell", "telling", "that", "the",
    "then", "there", "to", "today", "up", "us", "want", "we", "whats", "will", "with",
    "would", "you", "your", "yours",
})  # fmt: skip
"""Words that may stand around one that asks for a joke."""

_TOPICS: dict[str, jokes.Topic] = {
    "terminal": "terminal", "terminals": "terminal", "shell": "terminal", "shells": "terminal",
    "unix": "pipes", "pipe": "pipes", "pipes": "pipes",
    "network": "network", "networks": "network", "networking": "network", "internet": "network",
    "programming": "programming", "programmer": "programming", "programmers": "programming",
    "coding": "programming", "code": "programming", "developer": "programming",
    "developers": "programming", "software": "programming", "yourself": "darkai",
}  # fmt: skip
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "few": 3, "couple": 2}
_NUMBERED = re.compile(r"(?:tell me |show me )?joke (?:number |no |nr |n )?(\d{1,9})")
_SEVERAL = 3
_JOKES_ELSEWHERE = {
    "Meine Witze sind auf Englisch:": re.compile(
        r"(?:bitte )?(?:(?:erzahl|erzahle|sag|sage) (?:mir |uns )?)?"
        r"(?:(?:noch )?(?:einen|ein) )?(?:guten |kurzen |anderen |weiteren )?witz(?: bitte)?"
    ),
    "Mes blagues sont en anglais :": re.compile(
        r"(?:raconte|raconter|dis|dites|racontez)?(?: ?(?:moi|nous))? ?"
        r"(?:une |encore une )?(?:autre |bonne )?blague"
        r"(?: (?:stp|svp|s il te plait|s il vous plait))?"
    ),
    "Mis chistes están en inglés:": re.compile(
        r"(?:(?:cuentame|cuenta|dime|cuentanos) )?(?:un |otro )?(?:buen )?chiste(?: por favor)?"
    ),
    "Le mie barzellette sono in inglese:": re.compile(
        r"(?:(?:raccontami|racconta|dimmi) )?(?:una |un altra )?barzelletta(?: per favore)?"
    ),
    "As minhas piadas são em inglês:": re.compile(
        r"(?:(?:conta|conte|conta me|conte me|me conta|me conte) )?"
        r"(?:uma |outra )?piada(?: por favor)?"
    ),
    "Mijn grappen zijn in het Engels:": re.compile(
        r"(?:vertel (?:me |mij )?)?(?:een |nog een )?(?:goede )?(?:mop|grap)(?: alsjeblieft)?"
    ),
}

_MARKDOWN = frozenset(
    {"markdown", "markdown showcase", "markdown demo", "show markdown", "show me markdown",
     "show the markdown showcase", "show me the markdown showcase", "demo markdown"}
)  # fmt: skip
_LONG = re.compile(r"long (\d{1,12})(?: words?)?")
_ECHO = re.compile(r"\s*echo(?:[ \t]+|[ \t]*\r?\n\s*)(?=\S)", re.IGNORECASE)


def can_answer(query: str) -> bool:
    """Return whether demo has an honest answer to a prompt that was meant for another service.

    Stricter than ``reply``: a prompt of several lines has a text in it that it is about, and
    ``echo`` before a question is part of the question.
    """
    line = query.strip()
    if "\n" in line or (_ECHO.match(line) and (line.endswith("?") or not line.startswith("echo"))):
        return False
    return reply(line) is not None


def answer(query: str) -> str | None:
    """Return the whole reply to ``query`` as Markdown, or None if demo has no answer."""
    pieces = reply(query)
    return None if pieces is None else "".join(pieces)


def reply(query: str, conversation: str = "") -> Iterator[str] | None:
    """Return the pieces of the reply, made as they are taken; None if demo has no answer.

    ``conversation``: the conversation so far; a joke in it is not told again.
    """
    if echo := _ECHO.match(query):
        return iter((query[echo.end() :],))
    if "\n" in query.strip() or len(query) > MAX_PROMPT:
        return None
    words = _plain(query)
    if words in _MARKDOWN:
        return iter((markdown_page(),))
    if match := _LONG.fullmatch(words):
        return _long(int(match[1]))
    text = _small_talk(words) or _joke(words, conversation or query, conversation)
    return None if text is None else iter((text,))


def _plain(query: str) -> str:
    """Return the words in lower case, without accents and marks, one blank between them."""
    bare = unicodedata.normalize("NFKD", query.casefold().replace("'", "").replace("’", ""))
    letters = "".join(c for c in bare if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", letters))


def _long(words: int) -> Iterator[str]:
    if 1 <= words <= LONGEST:
        return long_text(words)
    return iter((f"`long N` takes a number of words from 1 to {LONGEST}.\n",))


def markdown_page() -> str:
    """Return the page with every Markdown construct, from ``showcase.md``."""
    return Path(__file__).with_name("showcase.md").read_text("utf-8")


def long_text(words: int) -> Iterator[str]:
    """Yield Markdown of at least ``words`` words: the jokes in turn, up to the end of one.

    A word is what stands between blanks. The text is made joke by joke, so that a reply of a
    hundred thousand words costs no more memory than one of a hundred.
    """
    block = f"# A text of about {words} words\n"
    made = 0
    for number, joke in enumerate(cycle(jokes.jokes()), 1):
        yield block
        made += len(block.split())
        if made >= words:
            return
        block = f"\n## {number}. {joke.topic}\n\n{joke.text}\n"


def _small_talk(words: str) -> str | None:
    polite = re.sub(r"^(?:hi|hello|hey|ok|okay) (?=.)|(?<=.) please$", "", words)
    greeting = _GREETINGS.get(words) or _GREETINGS.get(_AFTER_GREETING.sub("", words))
    if greeting:
        return (
            f"{greeting}! I'm the *demo* provider, an offline demonstration, not a language model."
            " Try `tell me a joke` or `markdown`.\n"
        )
    variants = (words, polite, re.sub(r" (?:darkai|demo)$", "", polite))
    for text, sentences in _SENTENCES.items():
        for variant in variants:
            if variant in sentences:
                return text
    return None


def _joke(words: str, seed: str, conversation: str) -> str | None:
    if match := _NUMBERED.fullmatch(words):
        text = jokes.numbered(int(match[1]))
        return f"{text or f'I know the jokes 1 to {len(jokes.jokes())}.'}\n"
    for note, phrase in _JOKES_ELSEWHERE.items():
        if phrase.fullmatch(words):
            return f"{note}\n\n{jokes.pick(seed, conversation=conversation)[0]}\n"
    wish = _joke_wish(words.split())
    if wish is None:
        return None
    topic, count = wish
    texts = jokes.pick(seed, topic=topic, count=count, conversation=conversation)
    return "\n\n---\n\n".join(texts) + "\n"


def _joke_wish(words: list[str]) -> tuple[jokes.Topic | None, int] | None:
    """Return the topic and the number of the jokes that the words ask for; None for others."""
    topic: jokes.Topic | None = None
    count = _SEVERAL if "jokes" in words or "puns" in words else 1
    for place, word in enumerate(words):
        if word == "about" and place + 1 < len(words):
            continue  # what follows must be a topic, as every unknown word must
        if word in _TOPICS:
            topic = _TOPICS[word]
        elif word == "darkai" and place and words[place - 1] == "about":
            topic = "darkai"
        elif (word.isascii() and word.isdigit() and len(word) < 3) or word in _NUMBERS:
            count = max(1, int(_NUMBERS.get(word, 0) or word))
        elif word not in _AROUND_JOKE and word not in _JOKE_WORDS:
            return None
    wanted = set(words)
    if wanted & _JOKE_WORDS or {"something", "funny"} <= wanted or {"make", "laugh"} <= wanted:
        return topic, count
    return ("life", 1) if words == ["cheer", "me", "up"] else None
