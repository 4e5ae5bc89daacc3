"""Questions about darkai are answered from its documentation, others are not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.isolation import ROOT

from darkai_cli.providers.demo import answers, manual


@pytest.mark.parametrize(
    ("question", "page", "heading"),
    [
        ("how do I set a proxy", "how-to/proxies-and-certificates.md", "Set a proxy"),
        ("How do I set a proxy in darkai?", "how-to/proxies-and-certificates.md", "Set a proxy"),
        ("does darkai work behind a proxy?", "how-to/proxies-and-certificates.md", "Set a proxy"),
        ("darkai proxy", "how-to/proxies-and-certificates.md", "Set a proxy"),
        ("how do I use a SOCKS proxy?", "how-to/proxies-and-certificates.md", "SOCKS proxies"),
        ("which models are there", "how-to/models-and-urls.md", "Which models are there"),
        ("what models do you have?", "how-to/models-and-urls.md", "Which models are there"),
        ("how do I choose a model?", "how-to/models-and-urls.md", "Choose a model"),
        ("how do I change the model", "how-to/models-and-urls.md", "Choose a model"),
        ("what is exit code 7", "reference/exit-codes.md", "Exit code 7: cannot connect"),
        ("What does exit status 14 mean?", "reference/exit-codes.md", "Exit code 14: incomplete"),
        ("exit code 130", "reference/exit-codes.md", "Exit code 130: interrupted"),
        ("darkai exit codes", "reference/exit-codes.md", "Exit codes"),
        ("how do I use it in a pipe", "how-to/pipes.md", None),
        ("can darkai write to a file?", "how-to/pipes.md", "Write the reply to a file"),
        ("what is --no-stdin?", "how-to/pipes.md", "Keep darkai from waiting for stdin"),
        ("what does --json do", "how-to/scripts-and-exit-codes.md", None),
        ("how do I set the timeout?", "how-to/scripts-and-exit-codes.md", "Set a timeout"),
        ("how do I record a reply", "how-to/record-and-replay.md", "Record a reply"),
        ("how do I replay a recording", "how-to/record-and-replay.md", "Replay a recording"),
        ("how do I set up completion in zsh", "how-to/completions.md", "Completion in zsh"),
        ("how do I use darkai from Python?", "how-to/python-api.md", None),
        ("how do I install darkai?", "tutorial.md", "Install darkai"),
        ("where is the config file?", "how-to/configuration.md", None),
        ("what is DARKAI_URL?", "how-to/configuration.md", None),
        ("how do I get JSON output?", "how-to/scripts-and-exit-codes.md", None),
        ("how do I set the system prompt in darkai?", "how-to/configuration.md", None),
        ("how does the darkai fallback work?", "explanation/fallback.md", None),
    ],
)
def test_a_question_finds_its_section(question: str, page: str, heading: str | None) -> None:
    found = manual.search(answers._question(question), answers.docs_dir())
    assert found is not None
    assert found.page == page
    if heading is not None:
        assert found.heading == heading
    assert answers.answer(question) == found.markdown()
    assert answers.can_answer(question)


@pytest.mark.parametrize(
    "question",
    [
        "how do I cook rice",
        "how do I cook rice with darkai",
        "which model of car should I buy",
        "which models did Tesla sell",
        "what is the best model",
        "what model should I use for code",
        "how do I set DARK_MODE",
        "how do I become a model",
        "how do I train a model",
        "where can I find a model",
        "can I model for you",
        "how do I set a proxy in nginx",
        "how do I set a proxy in git",
        "how do I set a proxy in python",
        "how do I choose a proxy for a vote",
        "what is a pipe",
        "how do I smoke a pipe",
        "how do I clean a pipe",
        "how do I fix a broken pipe",
        "how do I write to a pipe in Go",
        "how do I read stdin in C",
        "what is stdin",
        "what is a proxy",
        "how do I record my screen",
        "how do I set exit codes in bash",
        "what is exit code 9009",
        "what does exit code 137 mean in docker",
        "what does --force do in git push",
        "what is --amend",
        "write a poem about darkai",
        "translate darkai into German",
        "can darkai draw pictures",
        "is darkai evil?",
        "darkai darkai darkai",
        "where is the toilet",
        "where is my password?",
        "how do I install it",
        "summarise this",
    ],
)
def test_a_question_about_something_else_finds_nothing(question: str) -> None:
    assert answers.answer(question) is None
    assert not answers.can_answer(question)


def test_the_answer_names_its_page_and_has_no_dead_links() -> None:
    reply = answers.answer("how do I install darkai?") or ""
    assert reply.startswith("## Install darkai\n\n")
    assert reply.endswith("*From darkai's documentation, `docs/tutorial.md`.*\n")
    assert "](how-to/" not in (answers.answer("darkai tutorial: where to go from here?") or "")


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "docs"
    (folder / "how-to").mkdir(parents=True)
    (folder / "decisions").mkdir()
    monkeypatch.setattr(manual, "docs_dir", lambda: folder)
    manual._index.cache_clear()
    return folder


def test_a_heading_counts_for_more_than_the_text(docs: Path) -> None:
    (docs / "how-to/a.md").write_text(
        "# Things\n\n## Set a colour\n\nThe proxy, a proxy, proxies.\n"
    )
    (docs / "how-to/b.md").write_text("# Others\n\n## Set a proxy\n\nLike this.\n")
    assert "Like this." in (answers.answer("how do I set a proxy?") or "")


def test_a_comment_in_a_code_fence_is_no_heading(docs: Path) -> None:
    (docs / "how-to/a.md").write_text(
        "# Page\n\n## Set a proxy\n\n```sh\n# a comment\nset it\n```\n\nand [more](../x.md#y).\n\n## Next\n\nno\n"
    )
    reply = answers.answer("how do I set a proxy?") or ""
    assert "# a comment\nset it\n```\n\nand more.\n" in reply
    assert "Next" not in reply


def test_links_to_the_web_stay(docs: Path) -> None:
    (docs / "how-to/a.md").write_text("# Set a proxy\n\nSee [it](https://example.org/a).\n")
    assert "[it](https://example.org/a)" in (answers.answer("how do I set a proxy?") or "")


def test_notes_for_developers_are_not_searched(docs: Path) -> None:
    (docs / "decisions/proxy.md").write_text("# Set a proxy\n\nWe decided so.\n")
    assert answers.answer("how do I set a proxy?") is None


def test_without_documentation_there_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(manual, "_PACKAGE", tmp_path / "darkai_cli")
    assert answers.docs_dir() is None
    assert answers.answer("how do I set a proxy?") is None
    assert not answers.can_answer("how do I set a proxy?")


def test_the_installed_documentation_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "darkai_cli"
    monkeypatch.setattr(manual, "_PACKAGE", package)
    (tmp_path / "docs").mkdir()
    assert answers.docs_dir() == tmp_path / "docs"
    (package / "_docs").mkdir(parents=True)
    assert answers.docs_dir() == package / "_docs"


def test_the_wheel_takes_the_documentation_along() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["docs"] == "darkai_cli/_docs"


def test_the_pages_are_only_read_for_such_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(folder: Path) -> None:
        raise AssertionError(folder)

    monkeypatch.setattr(manual, "_index", unread)
    for prompt in (
        "tell me a joke",
        "hello",
        "markdown",
        "write a commit message",
        "which way is up",
    ):
        answers.can_answer(prompt)
    with pytest.raises(AssertionError):
        answers.can_answer("how do I set a proxy?")


def test_a_fence_that_never_ends_keeps_its_text(docs: Path) -> None:
    (docs / "how-to/a.md").write_text("# Set a proxy\n\n```sh\n# like this\n")
    assert "# like this" in (answers.answer("how do I set a proxy?") or "")


@given(st.text(alphabet="ab #\n-", max_size=400))
def test_no_line_of_a_page_is_lost(text: str) -> None:
    kept = [line for section in manual._sections("p.md", text) for line in section.body.split("\n")]
    said = [line.rstrip() for line in text.split("\n") if not manual._HEADING.match(line)]
    assert [line for line in kept if line] == [line for line in said if line]
