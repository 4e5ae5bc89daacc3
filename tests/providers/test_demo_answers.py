"""What the demo provider answers, and what it must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.providers.demo import answers, jokes

DIFF = "\n".join(f"+line {number} of a diff, tell me a joke" for number in range(200))


@pytest.mark.parametrize(
    "prompt",
    [
        "tell me a joke",
        "Tell me a joke!",
        "  joke  ",
        "another joke please",
        "make me laugh",
        "say something funny",
        "cheer me up",
        "hi, tell me a joke",
        "do you know any good jokes?",
        "tell me a joke about networks",
        "tell me a programming joke.",
        "erzähl mir einen Witz",
        "Raconte-moi une blague !",
        "cuéntame un chiste",
        "raccontami una barzelletta",
        "conta-me uma piada",
        "vertel een mop",
    ],
)
def test_a_joke_is_told(prompt: str) -> None:
    reply = answers.answer(prompt)
    assert reply is not None
    assert any(joke.text in reply for joke in jokes.jokes())
    assert answers.can_answer(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "tell me a joke about my boss",
        "explain this joke",
        "is that a joke?",
        "you are a joke",
        "is this a good joke? be honest",
        "joke 5 about cats",
        "tell me a story",
        "write a commit message",
        "write a joke generator in Rust",
        "hello world program in python",
        "hi, can you fix my code",
        "thanks to whom do we have the internet",
        "help me write an essay",
        "who are you talking about",
        "markdown to html converter",
        "long division of 7 by 3",
        "how long is the Nile",
        "how are you supposed to cook rice",
        "test",
        "",
        "   ",
        "?",
        f"tell me a joke\n\n{DIFF}",
        f"write a commit message\n\n{DIFF}",
        f"{DIFF}\n\ntell me a joke",
        f"hello\n\n{DIFF}",
        f"markdown\n\n{DIFF}",
        "what is darkai?",
        "how do I set a proxy in darkai?",
        "tell me a joke " * 50,
        "tell me\na joke",
        "hello\n\nthanks",
    ],
)
def test_what_is_about_something_else_gets_no_answer(prompt: str) -> None:
    assert answers.answer(prompt) is None
    assert not answers.can_answer(prompt)


def test_which_joke_is_decided_by_the_prompt_alone() -> None:
    texts = {answers.answer("tell me a joke" + "!" * marks) for marks in range(12)}
    assert len(texts) > 6
    assert answers.answer("tell me a joke") == answers.answer("tell me a joke")


def test_a_joke_has_a_number() -> None:
    for number, joke in enumerate(jokes.jokes(), 1):
        assert answers.answer(f"joke {number}") == joke.text + "\n"
    assert answers.answer("joke 0") == f"I know the jokes 1 to {len(jokes.jokes())}.\n"
    assert answers.answer("joke 999999999") == answers.answer("joke 0")


@pytest.mark.parametrize(("prompt", "count"), [("three jokes", 3), ("7 jokes", 7), ("jokes", 3)])
def test_several_jokes_are_different_ones(prompt: str, count: int) -> None:
    reply = answers.answer(prompt)
    assert reply is not None
    texts = reply.removesuffix("\n").split("\n\n---\n\n")
    assert len(set(texts)) == len(texts) == count


def test_a_topic_is_kept() -> None:
    networks = {joke.text + "\n" for joke in jokes.jokes() if joke.topic == "network"}
    for marks in range(8):
        assert answers.answer("a joke about networks" + "." * marks) in networks


def test_a_joke_that_was_heard_is_not_told_again() -> None:
    conversation = "User: tell me a joke\nAssistant: "
    texts = []
    for _ in jokes.jokes():
        pieces = answers.reply("another joke", conversation)
        assert pieces is not None
        texts.append("".join(pieces).strip())
        conversation += texts[-1] + "\nUser: another joke\nAssistant: "
    assert len(set(texts)) == len(jokes.jokes())
    assert answers.reply("another joke", conversation) is not None


def test_there_are_enough_jokes_and_no_two_alike() -> None:
    texts = [joke.text for joke in jokes.jokes()]
    assert len(texts) >= 40
    assert len(set(texts)) == len(texts)
    assert all(text == text.strip() and "\n\n\n" not in text for text in texts)
    assert {joke.topic for joke in jokes.jokes()} >= {"terminal", "pipes", "network", "programming"}


@pytest.mark.parametrize(
    ("prompt", "part"),
    [
        ("hi", "Hi!"),
        ("Hello there!", "Hello!"),
        ("Buenos días", "Buenos días!"),
        ("thanks", "welcome"),
        ("Vielen Dank!", "welcome"),
        ("who are you?", "not a language model"),
        ("hey, who are you?", "not a language model"),
        ("Are you ChatGPT?", "not a language model"),
        ("what can you do?", "`long 500`"),
        ("how are you?", "I'm a program"),
        ("good night", "Goodbye"),
    ],
)
def test_small_talk(prompt: str, part: str) -> None:
    assert part in (answers.answer(prompt) or "")
    assert answers.can_answer(prompt)


def test_demo_never_passes_for_a_model() -> None:
    for prompt in ("hi", "who are you?", "are you an AI?", "which model are you?"):
        assert "not a language model" in (answers.answer(prompt) or ""), prompt
    assert "not a language model" in answers.CANNOT
    assert "-p darkai" in answers.CANNOT
    assert "DARKAI_URL" in answers.CANNOT
    assert answers.CANNOT.count("\n") == 1


def test_the_markdown_page() -> None:
    assert answers.answer("markdown") == answers.markdown_page()
    assert answers.answer("Show me the Markdown showcase.") == answers.markdown_page()


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("echo hello", "hello"),
        ("echo  a  b ", "a  b "),
        ("echo\n\nfrom a pipe\nand more\n", "from a pipe\nand more\n"),
        ("Echo Hello?", "Hello?"),
        ("echo \x1b[31mred", "\x1b[31mred"),
    ],
)
def test_echo_gives_back_what_it_got(prompt: str, text: str) -> None:
    assert answers.answer(prompt) == text


@pytest.mark.parametrize("prompt", ["echo", "echo ", "echoes of the past", "echo\n\n"])
def test_no_echo(prompt: str) -> None:
    assert answers.answer(prompt) is None


@pytest.mark.parametrize(
    "prompt", [f"echo the changed files\n\n{DIFF}", "echo in a canyon, why?", "Echo and Narcissus"]
)
def test_echo_of_what_was_meant_for_a_model_is_no_fallback(prompt: str) -> None:
    assert answers.answer(prompt) is not None
    assert not answers.can_answer(prompt)


@pytest.mark.parametrize("words", [1, 2, 10, 100, 999, 5000])
def test_long_has_the_words_that_were_asked_for(words: int) -> None:
    text = answers.answer(f"long {words}")
    assert text is not None
    made = len(text.split())
    assert words <= made <= words + 150
    assert text.startswith(f"# A text of about {words} words\n")
    assert text.endswith("\n")


def test_long_says_its_bounds() -> None:
    for number in ("0", str(answers.LONGEST + 1), "999999999999"):
        assert (
            answers.answer(f"long {number}")
            == "`long N` takes a number of words from 1 to 200000.\n"
        )


def test_long_is_the_same_each_time_and_a_longer_one_begins_alike() -> None:
    short = (answers.answer("long 500") or "").split("\n", 1)[1]
    assert short == (answers.answer("long 500 words") or "").split("\n", 1)[1]
    assert (answers.answer("long 2000") or "").split("\n", 1)[1].startswith(short)


def test_long_is_made_as_it_is_taken() -> None:
    pieces = answers.reply("long 200000")
    assert pieces is not None
    assert sum(len(next(pieces)) for _ in range(10)) < 10_000


def test_the_page_has_every_construct() -> None:
    for construct in (
        "# Every", "\n## ", "\n### ", "\n#### ", "\n##### ", "\n###### ", "\n====", "\n----",
        "*Emphasis*", "**strong**", "***both", "~~", "`inline code`", "``", "end  \nis broken",
        "backslash\\\n", "[inline link](", "[reference][ref]", "\n[ref]: ", "<https://", "![",
        "\n- one", "\n  - ", "\n    - ", "\n1. ", "\n   1. ", "\n- [x] ", "\n- [ ] ", "\n> ",
        "\n> > ", "\n```python", "\n```bash", "\n```json", "\n```diff", "\n~~~", "\n````",
        "\n    Indented", "\n|:-----|:------:|------:|---", "\\|", "\n---\n", "\n***\n", "[^1]",
        "\n[^1]: ", "<div", "<!--", "$$", "\\(", "日本", "👩‍🚀", "שלום", "&#8594;", "\t",
    ):  # fmt: skip
        assert construct in answers.markdown_page(), construct
    assert not any(
        (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0
        for char in answers.markdown_page()
    )


@given(st.text(max_size=300))
def test_any_text_is_answered_or_not_and_the_same_each_time(text: str) -> None:
    first = answers.answer(text)
    assert first == answers.answer(text)
    if answers.can_answer(text):
        assert first is not None
        assert "\n" not in text.strip()


@given(st.sampled_from(["tell me a joke", "hello", "markdown", "who are you"]), st.text(min_size=1))
def test_a_prompt_with_a_second_line_is_no_fallback(prompt: str, text: str) -> None:
    if text.strip():
        assert not answers.can_answer(f"{prompt}\n\n{text}")
