"""``darkai models``: the lists of all providers, one model, the default, aliases. Real processes."""

from __future__ import annotations

import json
import signal
import tomllib
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.isolation import darkai_home, write_config
from support.scenario import Result, run_darkai, run_in_pty, start_darkai, start_in_pty
from support.server import (
    Close,
    FaultServer,
    Pause,
    Send,
    Stall,
    closed_port,
    head,
    json_page,
    page,
)

from darkai_cli.cli import main
from darkai_cli.errors import DarkAIError

RICH = {
    "data": [
        {
            "id": "lab/big",
            "name": "Big",
            "context_length": 131072,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0.00000015", "completion": "0.0000006"},
            "top_provider": {"max_completion_tokens": 4096},
        },
        {"id": "lab/small", "owned_by": "lab"},
    ]
}


def written() -> dict[str, Any]:
    return tomllib.loads((darkai_home() / "config.toml").read_text())


def table(name: str, server: FaultServer, more: str = "") -> str:
    base = server.url.removesuffix("/chat")
    return f'[providers.{name}]\ntype = "openai"\nurl = "{base}/v1"\n{more}\n'


def lines(result: Result) -> list[str]:
    return result.text.splitlines()


def test_all_providers_at_once_and_one_that_fails_is_a_line() -> None:
    """The second is asked although the first does not answer before it."""
    go = Event()
    with (
        FaultServer([Pause(go), *json_page(200, RICH)]) as first,
        FaultServer(json_page(200, {"data": [{"id": "m"}]})) as second,
        FaultServer(page(500, "broken")) as third,
        closed_port() as port,
    ):
        write_config(
            table("one", first) + table("two", second) + table("three", third)
            + f'[providers.four]\ntype = "openai"\nurl = "http://127.0.0.1:{port}/v1"\n'
        )  # fmt: skip
        with start_darkai("models") as run:
            second.wait_requests()
            go.set()
            result = run.finish()
        assert result.code == 0, result
    output = lines(result)
    assert "\tone/lab/big\t\t131072\ttext, image\t0.15\t0.6" in output
    assert "\tone/lab/small" in output
    assert "\ttwo/m" in output
    assert "*\tdarkai/llama-3-70b\tllama-3.1-70b" in output
    assert [
        name for name in ("three", "four") if any(f"\t{name}/" in line for line in output)
    ] == []
    messages = result.stderr.splitlines()
    assert len(messages) == 2, messages
    assert messages[0].startswith("warning: `three`: 127.0.0.1:")
    assert messages[1].startswith("warning: `four`: ")


def test_nobody_answers() -> None:
    with FaultServer(page(500, "broken")) as server:
        write_config(table("one", server))
        result = run_darkai("models", "list")
        assert (result.code, "*\tdarkai/llama-3-70b\tllama-3.1-70b" in lines(result)) == (9, True)
        single = run_darkai("models", "-p", "one")
    assert (single.code, single.stdout) == (9, b"")
    assert single.stderr.startswith(f"error: {server.address} ")


def test_a_list_is_kept_for_a_day_unless_it_is_refreshed(tmp_path: Path) -> None:
    """Through a proxy, so that the service is none of this machine: those are always asked."""
    with FaultServer(json_page(200, RICH)) as server:
        write_config(
            f'proxy = "http://{server.address}"\n[providers.far]\ntype = "openai"\n'
            'url = "http://ai.invalid/v1"\n'
        )
        for number, args in ((1, ()), (1, ()), (2, ("--refresh",)), (2, ())):
            result = run_darkai("models", *args, "-p", "far", "--json")
            assert result.code == 0, result
            rows = [json.loads(line) for line in lines(result)]
            assert [row["model"] for row in rows] == ["lab/big", "lab/small"]
            assert len(server.requests) == number, args
        (cache_file,) = (darkai_home() / "cache" / "models").iterdir()
        assert cache_file.stat().st_mode & 0o777 == 0o600
        cache_file.write_bytes(b'{"url": 3')
        assert run_darkai("models", "-p", "far").code == 0
        assert len(server.requests) == 3
        names = run_darkai("completions", "--names", "models").text.splitlines()
        assert "far/lab/big" in names
        assert len(server.requests) == 3


def test_the_key_goes_along_and_is_never_shown() -> None:
    key = "sk-very-secret-0123456789"
    with FaultServer(json_page(401, {"error": {"message": f"no such key {key}"}})) as server:
        write_config(table("one", server, 'key_env = "ONE_KEY"'))
        result = run_darkai("models", env={"ONE_KEY": key})
        assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    assert result.code == 4
    assert key not in result.stderr + result.text
    assert all(key.encode() not in file.read_bytes() for file in darkai_home().rglob("*.json"))


def test_json_has_what_the_service_tells() -> None:
    with FaultServer(json_page(200, RICH)) as server:
        write_config(table("one", server) + '[aliases]\nbig = "one/lab/big"\nlost = "nosuch/x"\n')
        result = run_darkai("models", "--json", "-p", "one")
    first, second = (json.loads(line) for line in lines(result))
    assert first == {
        "provider": "one", "model": "lab/big", "aliases": ["big"], "default": False,
        "title": "Big", "context": 131072, "output": 4096, "takes": ["text", "image"],
        "gives": ["text"], "price_in": 0.15, "price_out": 0.6, "created": None, "owner": None,
    }  # fmt: skip
    assert (second["model"], second["context"], second["owner"]) == ("lab/small", None, "lab")


@pytest.mark.parametrize("columns", [100, 40])
def test_a_table_fits_the_terminal_and_is_safe(columns: int) -> None:
    rows = {"data": [*RICH["data"], {"id": "evil\x1b]0;x\x07\u202emodel"}, {"id": "x" * 90}]}
    with FaultServer(json_page(200, rows)) as server:
        write_config(table("one", server) + '[aliases]\nbig = "one/lab/big"\n')
        screen = run_in_pty("models", "-p", "one", cols=columns)
    assert screen.code == 0
    assert b"\x1b]0" not in screen.raw
    assert len(screen.lines) == 5, screen.lines
    assert max(map(len, screen.lines)) <= columns
    assert any("one/lab/big" in line and "131k" in line for line in screen.lines)
    if columns == 100:
        heading = ["model", "context", "input", "$/M", "in", "$/M", "out", "aliases"]
        assert screen.lines[0].split() == heading
        assert screen.lines[1].split()[-3:] == ["0.15", "0.6", "big"]


def test_a_terminal_is_told_what_is_waited_for() -> None:
    answered = Event()
    with FaultServer([Pause(answered), *json_page(200, RICH)]) as server:
        write_config(table("one", server))
        with start_in_pty("models", "-p", "one") as run:
            run.wait_for(b"Waiting for 127.0.0.1")
            answered.set()
            assert run.finish().code == 0
            screen = run.screen_result()
    assert not any("waiting" in line for line in screen.lines)


def test_ctrl_c_ends_the_waiting() -> None:
    with FaultServer([Stall()]) as server:
        write_config(table("one", server))
        with start_darkai("models") as run:
            server.wait_requests()
            run.signal(signal.SIGINT)
            assert run.finish().code == 130


def test_a_server_on_this_machine_answers_where_no_model_is_named() -> None:
    with FaultServer(json_page(200, {"data": [{"id": "embed-x"}, {"id": "mine"}]})) as server:
        write_config('provider = "one"\n' + table("one", server))
        assert lines(run_darkai("models", "-p", "one")) == ["\tone/embed-x", "*\tone/mine"]
        screen = run_darkai("ask", "--dry-run", "hi")
    assert (screen.code, json.loads(screen.text)["model"]) == (0, "mine"), screen


def test_a_service_without_a_default_wants_a_name() -> None:
    result = run_darkai("ask", "-p", "groq", "hi", env={"GROQ_API_KEY": "gsk_never_used"})
    assert result.code == 2
    assert result.stderr.splitlines() == [
        "error: No model chosen, and `groq` has no default",
        "hint: `darkai models list -p groq` lists them; choose one with `-m groq/MODEL`",
    ]


# --- show -----------------------------------------------------------------------------------------


def test_show_tells_what_is_known_but_not_the_key() -> None:
    key = "sk-very-secret-0123456789"
    with FaultServer(json_page(200, RICH)) as server:
        write_config(
            table("one", server, 'key_env = "ONE_KEY"') + '[aliases]\nbig = "one/lab/big"\n'
        )
        plain = run_darkai("models", "show", "big", env={"ONE_KEY": key})
        as_json = run_darkai("models", "show", "one/lab/big", "--json", env={"ONE_KEY": key})
        odd = run_darkai("models", "show", "one/other")
    messages = dict(line.split("\t") for line in lines(plain))
    assert messages["model"] == "lab/big"
    assert messages["context"] == "131072"
    assert messages["price_in"] == "0.15"
    assert messages["aliases"] == "big"
    assert messages["key"] == "ONE_KEY"
    assert messages["url"].endswith("/v1")
    assert json.loads(as_json.text)["output"] == 4096
    assert key not in plain.text + plain.stderr + as_json.text
    assert (odd.code, odd.stderr) == (0, "note: `one` does not list `other`\n")


def test_show_works_where_the_service_does_not() -> None:
    with closed_port() as port:
        write_config(f'[providers.one]\ntype = "openai"\nurl = "http://127.0.0.1:{port}/v1"\n')
        result = run_darkai("models", "show", "one/m")
    assert result.code == 0
    assert "model\tm" in lines(result)
    assert result.stderr.startswith("warning: `one`: ")
    assert run_darkai("models", "show", "nonsense").code == 5


# --- default --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("gpt-4o", "darkai", "gpt-4o"),
        ("openai/gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("openrouter/a/b", "openrouter", "a/b"),
        ("mistral", "mistral", None),
        ("ollama", "ollama", None),
        ("fast", "groq", "llama"),
    ],
)
def test_default_is_written_with_its_provider(
    name: str, provider: str, model: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config('# kept\nmodel = "old"\n[aliases]\nfast = "groq/llama"\n')
    assert main.run(["models", "default", name]) == 0
    assert capsys.readouterr() == ("", "")
    assert written()["provider"] == provider
    assert written().get("model") == model
    assert (darkai_home() / "config.toml").read_text().startswith("# kept\n")
    assert main.run(["models", "default"]) == 0
    fallback = {"mistral": "mistral-small-latest"}.get(provider)
    wanted = f"{provider}/{model or fallback}" if model or fallback else provider
    assert capsys.readouterr().out == f"{wanted}\n"


@pytest.mark.parametrize(("name", "code"), [("gpt-40", 5), ("groq", 2), ("azure/x", 3)])
def test_a_default_that_cannot_be_is_not_written(name: str, code: int) -> None:
    write_config("# mine\n")
    with pytest.raises(DarkAIError) as caught:
        main.run(["models", "default", name])
    assert caught.value.exit_code == code
    assert (darkai_home() / "config.toml").read_text() == "# mine\n"


def test_default_says_what_wins_over_it() -> None:
    result = run_darkai("models", "default", "gpt-4o", env={"DARKAI_MODEL": "gpt-3.5-turbo"})
    assert (result.code, result.stderr) == (
        0,
        "note: Written, but `DARKAI_MODEL` overrides it\n",
    )


# --- alias ----------------------------------------------------------------------------------------


def test_aliases_are_made_listed_and_removed() -> None:
    assert run_darkai("models", "alias").text == ""
    made = run_darkai("models", "alias", "fast", "openai/gpt-4o-mini")
    assert (made.code, made.text, made.stderr) == (0, "", "")
    made = run_darkai("models", "alias", "gpt-4.1", "gpt-4o")
    assert made.stderr == "note: `gpt-4.1` stands for `darkai/gpt-4o`\n"
    assert written()["aliases"] == {"fast": "openai/gpt-4o-mini", "gpt-4.1": "darkai/gpt-4o"}
    assert lines(run_darkai("models", "alias")) == [
        "fast\topenai/gpt-4o-mini",
        "gpt-4.1\tdarkai/gpt-4o",
    ]
    assert run_darkai("models", "alias", "fast").text == "openai/gpt-4o-mini\n"
    made = run_darkai("models", "alias", "quick", "fast")
    assert written()["aliases"]["quick"] == "openai/gpt-4o-mini"
    assert run_darkai("models", "alias", "--rm", "fast").code == 0
    assert "fast" not in written()["aliases"]
    again = run_darkai("models", "alias", "--rm", "fast")
    assert again.code == 5
    first = json.loads(lines(run_darkai("models", "alias", "--json"))[0])
    assert first == {"alias": "gpt-4.1", "model": "darkai/gpt-4o"}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("openai", "darkai/gpt-4o"), 2, "is the name of a provider"),
        (("groq/x", "darkai/gpt-4o"), 2, "looks like a model of that provider"),
        (("fast", "nosuch/model"), 5, "`darkai` has no model"),
        (("fast", "openai"), 2, "an alias stands for a model"),
        (("fast",), 5, "No alias named `fast`"),
        (("--rm", "fast", "other"), 2, "`--rm` takes one alias"),
        (("", "darkai/gpt-4o"), 2, "An alias must have a name"),
        ((" x", "darkai/gpt-4o"), 2, "must not begin or end with a space"),
    ],
)
def test_an_alias_that_cannot_be(args: tuple[str, ...], code: int, words: str) -> None:
    with pytest.raises(DarkAIError) as caught:
        main.run(["models", "alias", *args])
    assert caught.value.exit_code == code
    assert words in f"{caught.value.message}\n{caught.value.hint}"
    assert not (darkai_home() / "config.toml").exists()


def test_what_is_written_names_the_provider_that_was_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also where another provider is the default, and one of these names is nobody's."""
    assert main.run(["models", "default", "openai/gpt-4o-mini"]) == 0
    assert main.run(["models", "alias", "fast", "groq/llama-3.1-8b-instant"]) == 0
    assert capsys.readouterr().err == ""
    assert written()["aliases"] == {"fast": "groq/llama-3.1-8b-instant"}
    assert main.run(["models", "default", "anthropic/claude-x"]) == 0
    assert (written()["provider"], written()["model"]) == ("anthropic", "claude-x")
    write_config('provider = "gone"\n')
    assert main.run(["models", "default", "openai/gpt-4o"]) == 0
    assert written()["provider"] == "openai"


def test_an_alias_that_hides_a_model_is_told() -> None:
    made = run_darkai("models", "alias", "gpt-4o", "openai/gpt-4o")
    assert made.code == 0
    assert made.stderr.startswith("note: `gpt-4o` now is the alias; ")


def test_what_several_providers_have_in_common_is_told_once() -> None:
    url = "http://127.0.0.1:9/v1"
    write_config("".join(f'[providers.{n}]\ntype = "openai"\nurl = "{url}"\n' for n in ("a", "b")))
    keys = darkai_home() / "keys.toml"
    keys.write_text("")
    keys.chmod(0o644)
    result = run_darkai("models")
    assert result.stderr == f"warning: `a`, `b`: Ignoring `{keys}`: readable by others\n"


def test_a_list_that_is_too_large_or_cut_is_not_called_a_wrong_one() -> None:
    with FaultServer(
        page(200, " " * (17 << 20), "application/json"),
        [Send(head(200, {"content-length": "99"}) + b'{"data": ['), Close()],
    ) as server:
        write_config(table("one", server))
        large = run_darkai("models", "-p", "one")
        cut = run_darkai("models", "-p", "one")
    assert large.stderr.startswith(f"error: The reply of {server.address} exceeded 16 MiB")
    assert cut.code == 7, cut
    assert "Connection lost" in cut.stderr


def test_show_asks_ollama_about_the_one_model() -> None:
    tags = {"models": [{"name": "llama9:latest", "details": {"parameter_size": "8B"}}]}
    messages = {
        "capabilities": ["completion", "vision"],
        "model_info": {"llama.context_length": 8192},
    }
    with FaultServer(json_page(200, tags), json_page(200, messages)) as server:
        write_config(f'[providers.one]\ntype = "ollama"\nurl = "http://{server.address}"\n')
        result = run_darkai("models", "show", "one/llama9", "--json")
        assert [request.target for request in server.requests] == ["/api/tags", "/api/show"]
        assert json.loads(server.requests[1].body) == {"model": "llama9:latest"}
    screen = json.loads(result.text)
    assert (screen["model"], screen["aliases"]) == ("llama9:latest", ["llama9"])
    assert (screen["context"], screen["takes"]) == (8192, ["text", "image"])


def test_models_warns_and_lists_the_others() -> None:
    write_config('[providers.work]\nurl = "http://a.test/"\n')
    result = run_darkai("models")
    assert result.code == 0, result
    assert result.stderr == "warning: The provider `work` has no `type`\n"
    assert "*\tdarkai/llama-3-70b\tllama-3.1-70b" in result.text.splitlines()
    ask = run_darkai("ask", "--dry-run", "-p", "work", "x")
    assert ask.code == 3
    assert "darkai config set providers.work.type" in ask.stderr


ALIASES = """
[aliases]
fast = "gpt-4o"
mine = "darkai/something-new"
loop = "nosuch/zzz"
"""


def test_a_users_aliases_are_listed() -> None:
    write_config('provider = "darkai"\n' + ALIASES)
    rows = [json.loads(line) for line in run_darkai("models", "--json").text.splitlines()]
    aliases = {f"{row['provider']}/{row['model']}": row["aliases"] for row in rows}
    assert aliases["darkai/gpt-4o"] == ["fast"]
    assert aliases["darkai/llama-3-70b"] == ["llama-3.1-70b"]
    result = run_darkai("models")
    assert "\tdarkai/gpt-4o\tfast" in result.text.splitlines()
    warnings = result.stderr.splitlines()
    assert any("The alias `loop` means `nosuch/zzz`: " in line for line in warnings)


def test_an_alias_of_a_model_that_is_not_listed_has_a_row() -> None:
    write_config(
        '[aliases]\nmine = "work/m2"\n[providers.work]\ntype = "darkai"\nurl = "http://a/"\n'
    )
    result = run_darkai("models", "--json", "-p", "work")
    rows = {row["model"]: row["aliases"] for row in map(json.loads, result.text.splitlines())}
    assert rows == {"m2": ["mine"], "llama-3-70b": ["llama-3.1-70b"]}
    assert (result.code, result.stderr) == (0, "")
