"""The completion scripts in real shells on a real terminal: type, press TAB, press Enter, see what ran.

In place of darkai the shells find a stub that writes down how it was called. So a test sees the very
words that a completed line comes to, quoting included, and that a TAB started nothing unless it had
to. PowerShell is not here: its script is only read (``test_completions.py``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.isolation import ROOT
from support.scenario import Running, environment, start_in_pty

from darkai_cli.cli import groups
from darkai_cli.cli.commands import COMMANDS
from darkai_cli.cli.completion import spec

SCRIPTS = {"bash": "darkai.bash", "zsh": "_darkai", "fish": "darkai.fish"}
"""With bash first: every machine that runs these tests has it."""

MODELS = [
    "gpt-3.5-turbo", "gpt-4o", "demo/demo", "ollama/llama3:8b", "ollama/llama3:70b", "x/@cf/meta",
    "q=1:b", "a::b", "größer/7b", "two words", "we$(touch PWNED)ird", "`touch PWNED`", "it's; touch PWNED",
    'say"$HOME"', "back\\slash", "~root", "*", "#hash", "{a,b}", "<in", "&", "w|touch PWNED", "-dash",
]  # fmt: skip
PROVIDERS = ["darkai", "demo", "ollama"]

STUB = """\
#!/bin/sh
if [ "$1 $2" = "completions --names" ]; then
    echo "$3" >>"$STUB/asked"
    cat "$STUB/$3"
    exit
fi
printf '<%s>' "$@" >>"$STUB/ran"
echo >>"$STUB/ran"
"""

PROMPT = """PS1="ready$(($(wc -l <"$STUB/ran")))> "\n"""
SETUP = {
    "bash": f"source {{script}}\nPROMPT_COMMAND='{PROMPT.strip()}'\n",
    "zsh": "fpath=({folder} $fpath)\nautoload -Uz compinit && compinit -u -D\n"
    f"precmd() {{{{ {PROMPT.strip()}; }}}}\n",
    "fish": 'source {script}\nfunction fish_prompt; echo -n "ready"(count <$STUB/ran)"> "; end\n',
}
"""What a shell reads first. Its prompt tells how many commands have run."""

START = {
    "bash": ["--noprofile", "--rcfile", "{setup}", "-i"],
    "zsh": ["-d", "-i"],
    "fish": ["--no-config", "--interactive", "--init-command", "source {setup}"],
}

LINES = {
    "darkai conf": ["config"],
    "darkai config un": ["config", "unset"],
    "darkai ask --ext": ["ask", "--extract"],
    "darkai config set code_t": ["config", "set", "code_theme"],
    "darkai completions pow": ["completions", "powershell"],
    "darkai ask -o my": ["ask", "-o", "my"],
    "darkai ask -s my": ["ask", "-s", "my"],
    "darkai ask hello my": ["ask", "hello", "my"],
    "darkai ask -- --ext": ["ask", "--", "--ext"],
    "darkai replay my\\ f": ["replay", "my file.jsonl"],
    "darkai replay --speed 2 my\\ f": ["replay", "--speed", "2", "my file.jsonl"],
    "darkai replay 'my f": ["replay", "my file.jsonl"],
    "darkai ask --output my\\ f": ["ask", "--output", "my file.jsonl"],
    "darkai ask --record=my\\ f": ["ask", "--record=my file.jsonl"],
    "darkai ask -q hi --output my\\ f": ["ask", "-q", "hi", "--output", "my file.jsonl"],
}
"""What is typed before a TAB, and what then runs: here without a question to darkai."""

ASKING = {
    "darkai ask -p dark": ["ask", "-p", "darkai"],
    "darkai ask -m gpt-3": ["ask", "-m", "gpt-3.5-turbo"],
    "darkai ask -mgpt-3": ["ask", "-mgpt-3.5-turbo"],
    "darkai ask -qm gpt-3": ["ask", "-qm", "gpt-3.5-turbo"],
    "darkai ask -q 'one two' --model=gpt-3": ["ask", "-q", "one two", "--model=gpt-3.5-turbo"],
    "darkai ask -m ollama/llama3:7": ["ask", "-m", "ollama/llama3:70b"],
    "darkai ask --model=ollama/llama3:7": ["ask", "--model=ollama/llama3:70b"],
    "darkai ask a:b c=d --model=q=1:": ["ask", "a:b", "c=d", "--model=q=1:b"],
    "darkai ask -m a::": ["ask", "-m", "a::b"],
    "darkai ask -m x/@": ["ask", "-m", "x/@cf/meta"],
    "darkai ask -m x/@c": ["ask", "-m", "x/@cf/meta"],
    "darkai ask -m grö": ["ask", "-m", "größer/7b"],
    "darkai ask -m 'two": ["ask", "-m", "two words"],
    'darkai ask -m "two': ["ask", "-m", "two words"],
    'darkai ask --model="two': ["ask", "--model=two words"],
    "darkai ask -m two\\ w": ["ask", "-m", "two words"],
    "darkai ask -m we": ["ask", "-m", "we$(touch PWNED)ird"],
    "darkai ask --model=we": ["ask", "--model=we$(touch PWNED)ird"],
    "darkai ask -m \\`": ["ask", "-m", "`touch PWNED`"],
    "darkai ask -m it": ["ask", "-m", "it's; touch PWNED"],
    "darkai ask -m w\\|": ["ask", "-m", "w|touch PWNED"],
    "darkai ask -m say": ["ask", "-m", 'say"$HOME"'],
    "darkai ask -m back": ["ask", "-m", "back\\slash"],
    "darkai ask -m \\#": ["ask", "-m", "#hash"],
    "darkai ask -m \\{": ["ask", "-m", "{a,b}"],
    "darkai ask -m \\<": ["ask", "-m", "<in"],
    "darkai ask -m \\&": ["ask", "-m", "&"],
    "darkai ask -m \\*": ["ask", "-m", "*"],
}
"""The same, where darkai is asked for names."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stub and what it answers; below it, the current one has a file."""
    stub = tmp_path / "stub" / "darkai"
    stub.parent.mkdir()
    stub.write_text(STUB)
    stub.chmod(0o755)
    (stub.parent / "models").write_text("".join(f"{name}\n" for name in MODELS))
    (stub.parent / "providers").write_text("".join(f"{name}\n" for name in PROVIDERS))
    work = tmp_path / "work here"
    work.mkdir()
    (work / "my file.jsonl").touch()
    (stub.parent / "ran").touch()
    monkeypatch.chdir(work)
    return tmp_path


class Typist:
    """A person at a shell: types a line, presses TAB and Enter, and sees what ran."""

    def __init__(self, run: Running, log: Path) -> None:
        self._run = run
        self._log = log
        self._count = 0
        self._run.wait_for(b"ready0> ")

    def type(self, keys: str) -> str:
        """What ran, as the stub wrote it down."""
        self._count += 1
        self._run.type(f"{keys}\r")
        self._run.wait_for(b"ready%d> " % self._count)
        return self._log.read_text().splitlines()[-1]


@contextmanager
def at(shell: str, folder: Path, more: str = "") -> Iterator[Typist]:
    """Somebody at a terminal with that shell. ``more``: what the shell reads besides."""
    program = present(shell)
    script = ROOT / "completions" / SCRIPTS[shell]
    setup = folder / ".zshrc"
    setup.write_text(SETUP[shell].format(script=f"'{script}'", folder=f"'{script.parent}'") + more)
    command = [program, *(arg.format(setup=f"{setup}") for arg in START[shell])]
    with start_in_pty(command=command, env=shell_environment(folder), cols=200, rows=50) as run:
        yield Typist(run, folder / "stub" / "ran")


def present(shell: str) -> str:
    finding = shutil.which(shell)
    if finding is None:
        pytest.skip(f"{shell} is not installed")
    return finding


def shell_environment(folder: Path) -> dict[str, str]:
    stub = folder / "stub"
    return {
        "PATH": f"{stub}:{environment()['PATH']}",
        "STUB": str(stub),
        "ZDOTDIR": str(folder),
        "HISTFILE": "/dev/null",
    }


def in_brackets(words: list[str]) -> str:
    return "".join(f"<{word}>" for word in words)


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_completed_line_runs_as_meant_and_starts_nothing(shell: str, folder: Path):
    with at(shell, folder) as typist:
        ran = {line: typist.type(f"{line}\t") for line in LINES}
    assert ran == {line: in_brackets(words) for line, words in LINES.items()}
    assert not (folder / "stub" / "asked").exists()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_foreign_names_arrive_as_they_are(shell: str, folder: Path):
    with at(shell, folder) as typist:
        ran = {line: typist.type(f"{line}\t") for line in ASKING}
    assert ran == {line: in_brackets(words) for line, words in ASKING.items()}
    assert list(folder.rglob("PWNED")) == []
    request = (folder / "stub" / "asked").read_text().splitlines()
    assert (request[0], set(request[1:])) == ("providers", {"models"})


# --- everything that is offered --------------------------------------------------------------------

TREE = {item.path[1:]: item for item in spec.walk(spec.tree(groups.root()))}
ASK_NO = [name for item in TREE["ask",].options for name in item.names if name.startswith("--no-")]
OFFERS = {
    "darkai ": list(COMMANDS),
    "darkai ask": ["ask"],
    "darkai config ": [item.path[-1] for item in TREE["config",].commands],
    "darkai models ": ["list", "show", "default", "alias"],
    "darkai completions ": ["bash", "zsh", "fish", "powershell"],
    "darkai ask --no-": ASK_NO,
    "darkai ask hi there -q --no-": ASK_NO,
    "darkai ask -p x -m y --no-": ASK_NO,
    "darkai ask -p ": PROVIDERS,
    "darkai ask -m ollama": ["ollama/llama3:8b", "ollama/llama3:70b"],
    "darkai ask -o ": [],
    "darkai ask hi ": [],
    "darkai ask --raw=": [],
    "darkai ask --nonsense ": [],
    "darkai nonsense ": [],
    "darkai config get theme ": [],
    "darkai ask -s config ": [],
    "darkai ask --system x --no-": ASK_NO,
    "darkai ask --system --no-str --no-": ASK_NO,
    "darkai ask -- --no-": [],
    "darkai ask -- -m ": [],
}
"""A line and every candidate for its last word."""

BASH = """
compopt() { COMPREPLY=("compopt $*"); }
source "$1"
shift
COMP_LINE=$1 COMP_POINT=${#1}
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_darkai darkai "${COMP_WORDS[COMP_CWORD]}" ''
printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash_offers(folder: Path, line: str, words: list[str]) -> list[str]:
    script = ROOT / "completions" / SCRIPTS["bash"]
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", script, line, *words],
        env=environment(shell_environment(folder)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [name for name in done.stdout.splitlines() if name]


@pytest.mark.parametrize("line", OFFERS)
def test_what_bash_offers(folder: Path, line: str):
    words = line.replace("=", " = ").split(" ")
    assert sorted(bash_offers(folder, line, words)) == sorted(OFFERS[line])


@pytest.mark.parametrize(
    "line",
    [
        "darkai replay ",
        "darkai ask --output ",
        "darkai config trust ",
        "darkai ask hi > ",
        "darkai ask 2 > ",
    ],
)
def test_bash_itself_completes_files(folder: Path, line: str):
    assert bash_offers(folder, line, line.split(" ")) == ["compopt -o default"]


def test_bash_completes_the_part_before_the_cursor(folder: Path):
    script = BASH.replace("${#1}", "${#1}-4").replace("${COMP_WORDS[COMP_CWORD]}", "gpt-3")
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", ROOT / "completions" / SCRIPTS["bash"],
         "darkai ask -m gpt-3XXXX", "darkai", "ask", "-m", "gpt-3XXXX"],
        env=environment(shell_environment(folder)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "gpt-3.5-turbo\n"


@pytest.mark.parametrize("line", OFFERS)
def test_what_fish_offers(folder: Path, line: str):
    present("fish")
    script = ROOT / "completions" / SCRIPTS["fish"]
    done = subprocess.run(
        ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line],
        env=environment(shell_environment(folder)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    finding = [offer.split("\t")[0] for offer in done.stdout.splitlines()]
    assert sorted(finding) == sorted(OFFERS[line])


ZSH = """
compadd() {
    local -a hits
    if (( ! ${@[(I)-(O|A|D)]} )); then
        builtin compadd -O hits "$@"
        print -rl -- $hits >>$STUB/offered
    fi
    builtin compadd "$@"
}
"""


def test_what_zsh_offers(folder: Path):
    offered = folder / "stub" / "offered"
    finding = {}
    with at("zsh", folder, ZSH) as typist:
        for line in OFFERS:
            typist.type(f"{line}\t\x15darkai mark")  # Ctrl-U takes the line away
            finding[line] = set(offered.read_text().split()) if offered.exists() else set()
            offered.unlink(missing_ok=True)
    wanted = {line: set(names) for line, names in OFFERS.items()}
    wanted["darkai config get theme "] = {"-h", "--help"}  # zsh's way, where no argument is left
    assert finding == wanted


# --- with darkai itself ----------------------------------------------------------------------------


def test_the_names_come_from_darkai_itself(folder: Path):
    (folder / "stub" / "darkai").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m darkai_cli "$@"\n'
    )
    line = "darkai ask -m demo/"
    assert bash_offers(folder, line, line.split(" ")) == ["demo/demo"]
    line = "darkai ask -p d"
    assert bash_offers(folder, line, line.split(" "))[:2] == ["darkai", "demo"]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_shell_can_read_its_script(shell: str):
    present(shell)
    read = subprocess.run(
        [shell, "-n", ROOT / "completions" / SCRIPTS[shell]], capture_output=True, check=False
    )
    assert (read.returncode, read.stdout, read.stderr) == (0, b"", b"")


def test_an_old_bash_completes_files_where_nothing_is_offered():
    script = ROOT / "completions" / SCRIPTS["bash"]
    message = subprocess.run(
        ["bash", "--norc", "-c", 'enable -n compopt; source "$0"; complete -p darkai', script],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert message.stdout.split() == ["complete", "-o", "default", "-F", "_darkai", "darkai"]
