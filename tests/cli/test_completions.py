"""The completion scripts as texts: up to date, complete, quoted; and the names they ask for.

What they do in a real shell is tested in ``test_completions_in_shells.py``.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from support.isolation import ROOT, write_config
from support.scenario import run_darkai, run_in_pty

from darkai_cli.cli import commands, completions, groups, main
from darkai_cli.cli.completion import fish, powershell, spec, zsh
from darkai_cli.errors import UsageError
from darkai_cli.providers import model_cache
from darkai_cli.providers.base import ModelInfo
from darkai_cli.providers.catalog import BUILT_IN

FILES = {
    "bash": "darkai.bash",
    "zsh": "_darkai",
    "fish": "darkai.fish",
    "powershell": "darkai.ps1",
}
TREE = spec.tree(groups.root())
COMMANDS = list(spec.walk(TREE))


# --- the files in completions/ --------------------------------------------------------------------


@pytest.mark.parametrize("shell", FILES)
def test_the_file_is_what_the_command_prints(shell: str, capsys: pytest.CaptureFixture[str]):
    assert main.run(["completions", shell]) == 0
    printed = capsys.readouterr()
    stored = (ROOT / "completions" / FILES[shell]).read_bytes()
    assert printed.out.encode() == stored, (
        f"completions/{FILES[shell]} is out of date; write it anew:\n"
        f"    python -m darkai_cli completions {shell} > completions/{FILES[shell]}"
    )
    assert printed.err == ""


def test_there_is_a_file_for_each_shell_and_no_other():
    assert list(completions.SHELLS) == list(FILES)
    assert {path.name for path in (ROOT / "completions").iterdir()} == set(FILES.values())


@pytest.mark.parametrize("shell", FILES)
def test_each_command_and_option_is_in_each_script(shell: str):
    script = completions.script(shell, groups.root())
    assert [item.path[1:] for item in TREE.commands] == [(name,) for name in commands.COMMANDS]
    for command in COMMANDS:
        for option in command.options:
            for name in option.names:
                screen = f"-l {name[2:]} " if name.startswith("--") else f"-s {name[1:]} "
                assert (screen if shell == "fish" else name) in script


def test_what_stands_bare_in_a_script_is_harmless_in_every_shell():
    bare = re.compile(r"-{0,2}[A-Za-z0-9][A-Za-z0-9_.-]*")
    for command in COMMANDS:
        values = [*command.arguments, *(option.value for option in command.options)]
        words = [word for value in (*values, command.rest) if value for word in value.words]
        names = [name for option in command.options for name in option.names]
        assert [item for item in (*command.path, *words, *names) if not bare.fullmatch(item)] == []


# --- rows -----------------------------------------------------------------------------------------

toy = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@toy.command(help="Do it. Then more.")
def do(
    model: Annotated[str, typer.Option("--model", "-m", help="Which. Or not.")] = "",
    level: Annotated[int, typer.Option("--level", "-l", count=True)] = 0,
    shape: Annotated[str, typer.Option("--shape", metavar="round|square")] = "",
    mood: Annotated[Literal["good", "bad"], typer.Option("--mood")] = "good",
    many: Annotated[list[str] | None, typer.Option("--many", metavar="PATH|URL")] = None,
    colour: Annotated[bool, typer.Option("--colour/--no-colour")] = True,
    secret: Annotated[str, typer.Option("--secret", hidden=True)] = "",
    who: Annotated[str, typer.Argument(metavar="PROVIDER")] = "",
    rest: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...")] = None,
) -> None:
    pass


@toy.command(hidden=True)
def unseen() -> None:
    pass


inner = typer.Typer()
inner.command("one")(lambda: None)
inner.command("two", help="Two.")(lambda: None)
toy.add_typer(inner, name="inner")


def test_rows_say_what_options_and_arguments_take():
    root = spec.tree(typer.main.get_command(toy))
    command, group = root.commands
    assert (command.path, command.help) == (("darkai", "do"), "Do it")
    assert {option.names: option[1:] for option in command.options} == {
        ("-m", "--model"): ("Which", spec.CompletionValue("model", "model"), False),
        ("-l", "--level"): ("", None, True),
        ("--shape",): ("", spec.CompletionValue("shape", "words", ("round", "square")), False),
        ("--mood",): ("", spec.CompletionValue("mood", "words", ("good", "bad")), False),
        ("--many",): ("", spec.CompletionValue("path|url", "file"), True),
        ("--colour", "--no-colour"): ("", None, False),
        ("-h", "--help"): ("Show this message and exit", None, False),
    }
    assert command.arguments == (spec.CompletionValue("provider", "provider"),)
    assert command.rest == spec.CompletionValue("file", "file")
    assert [item.path for item in group.commands] == [
        ("darkai", "inner", "one"),
        ("darkai", "inner", "two"),
    ]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("ask --model", "model"),
        ("ask -m", "model"),
        ("ask --provider", "provider"),
        ("ask --output", "file"),
        ("ask --record", "file"),
        ("ask --option", "text"),
        ("replay 1", "file"),
        ("config set 1", "words"),
        ("completions 1", "words"),
    ],
)
def test_the_kinds_of_darkai_s_own(path: str, kind: str):
    finding = {
        name: value.kind
        for item in COMMANDS
        for names, value in spec.values(item)
        for name in names
    }
    assert finding[f"darkai {path}"] == kind


# --- quotes ---------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_characters="\0")))
def test_bash_and_zsh_quotes_hold_any_text(text: str):
    assert shlex.split(spec.posix_quote(text)) == [text]


@given(st.text(st.characters(exclude_characters="\0")))
def test_fish_quotes_hold_any_text(text: str):
    quoted = fish._quoted(text)
    assert re.fullmatch(r"'(?:[^'\\]|\\['\\])*'", quoted)
    assert re.sub(r"\\(['\\])", r"\1", quoted[1:-1]) == text


@given(st.text())
def test_powershell_quotes_hold_any_text_in_ascii(text: str):
    quoted = powershell._quoted(text)
    assert quoted.isascii()
    assert re.fullmatch(r"'(?:[^']|'')*'", quoted)
    assert quoted[1:-1].replace("''", "'") == text.encode("ascii", "replace").decode()


@given(st.text())
def test_zsh_specifications_hold_any_help(text: str):
    escaped = zsh._text(text)
    assert re.fullmatch(r"(?:[^\\\[\]:]|\\[\\\[\]:])*", escaped)
    assert re.sub(r"\\(.)", r"\1", escaped) == text


# --- PowerShell, which is installed nowhere we test ------------------------------------------------


def test_the_powershell_script_is_ascii_and_balanced():
    script = (ROOT / "completions" / FILES["powershell"]).read_text("ascii")
    code = re.sub(
        r"'(?:[^']|'')*'", "''", "\n".join(re.sub(r"^\s*#.*", "", x) for x in script.split("\n"))
    )
    code = re.sub(r'"[^"\n]*"', '""', code)
    assert code.count('"') % 2 == 0
    waiting = []
    for char in code:
        if char in "([{":
            waiting.append({"(": ")", "[": "]", "{": "}"}[char])
        elif char in ")]}":
            assert waiting.pop() == char
    assert waiting == []


def test_each_powershell_row_has_four_texts_and_the_last_but_one_has_no_comma():
    script = (ROOT / "completions" / FILES["powershell"]).read_text("ascii")
    finding = re.findall(r"^        @\((.*)\)(,?)$", script, re.MULTILINE)
    text = r"'(?:[^']|'')+'"
    assert all(re.fullmatch(rf"{text}, {text}, {text}, {text}", row) for row, _ in finding)
    assert [comma for _, comma in finding] == [","] * (len(finding) - 1) + [""]
    assert len(finding) > len(COMMANDS)


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [[], ["tcsh"], ["Bash"], [""]])
def test_a_wrong_shell_is_told_the_right_ones(args: list[str]):
    with pytest.raises(UsageError) as caught:
        main.run(["completions", *args])
    assert caught.value.hint is not None
    assert all(shell in caught.value.hint for shell in FILES)
    assert args in ([], [""]) or args[0] in caught.value.message


@pytest.mark.parametrize("shell", FILES)
def test_on_a_terminal_a_hint_follows_on_stderr(shell: str):
    screen = run_in_pty("completions", shell, on=("stdout",))
    assert screen.code == 0
    script = completions.script(shell, groups.root())
    assert screen.raw.decode().replace("\r\n", "\n") == script
    (line,) = screen.stderr.splitlines()
    assert line.startswith("hint: ")
    assert f"darkai completions {shell} >" in line


def names(*args: str) -> list[str]:
    result = run_darkai("completions", "--names", *args)
    assert (result.code, result.stderr) == (0, "")
    return result.text.splitlines()


def test_names_where_nothing_is_configured():
    finding = names("providers")
    assert finding[:2] == ["darkai", "demo"], "what is set up comes first"
    assert set(finding) == set(BUILT_IN)
    finding = names("models")
    assert finding[0] == "gpt-4o"
    assert {name.partition("/")[0] for name in finding if "/" in name} == {"darkai", "demo"}
    assert {"llama-3-70b", "llama-3.1-70b", "darkai/gpt-4o", "demo/demo"} <= set(finding)
    assert len(finding) == len(set(finding))


def test_names_of_a_configuration():
    write_config(
        'provider = "work"\n[aliases]\n"a b:c" = "demo/demo"\n"x\\u001b[2J" = "demo/demo"\n'
        '[providers.work]\ntype = "darkai"\nurl = "http://localhost:1/chat"\n'
        'models = ["llama3:8b", "größer"]\n[providers.broken]\ntype = "nope"\n'
    )
    assert names("providers")[:4] == ["darkai", "demo", "work", "broken"]
    finding = names("models")
    assert finding[:3] == ["a b:c", "llama3:8b", "größer"]
    assert {"work/llama3:8b", "darkai/gpt-4o"} <= set(finding)
    assert "llama-3.1-70b" not in finding, "an alias of a model that `work` does not have"
    assert all(name.isprintable() for name in finding)


def test_names_of_a_kept_list_come_without_any_request(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk_never_used")
    url = BUILT_IN["groq"].url
    model_cache.write("groq", url, [ModelInfo("openai/gpt-oss-20b"), ModelInfo("bad\x1b[2J")])
    finding = names("models")
    assert "groq/openai/gpt-oss-20b" in finding
    assert all(name.isprintable() for name in finding)


@pytest.mark.parametrize("what", ["models", "providers"])
def test_a_broken_configuration_gives_no_names_and_no_noise(what: str):
    write_config("model = [broken\n")
    assert names(what) == []


@pytest.mark.parametrize("what", ["", "keys", "--help"])
def test_unknown_kinds_of_names_give_none(what: str):
    assert names(what) == []


def test_names_are_quick_to_come(tmp_path: Path):
    report = tmp_path / "modules"
    result = run_darkai(
        "completions", "--names", "models", env={"GUARD_MODULES": str(report)},
        command=(sys.executable, "-c", "from darkai_cli.__main__ import main; main()"),
    )  # fmt: skip
    assert result.code == 0
    loaded = {line.split()[1].partition(".")[0] for line in report.read_text().splitlines()}
    assert loaded & {"httpx", "httpcore", "rich", "ssl", "asyncio", "prompt_toolkit"} == set()
    ours = {
        line.split()[1] for line in report.read_text().splitlines() if "darkai_cli.cli." in line
    }
    names = ("commands", "completions", "main", "parser")
    assert ours == {f"darkai_cli.cli.{name}" for name in names}
