"""The keys of the configuration as a table: their names, kinds, defaults and meanings.

The reference page and the template of ``darkai config edit`` are generated from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal[
    "name", "text", "choice", "bool", "number", "count",
    "list", "url", "proxy", "path", "options", "headers",
]  # fmt: skip


class Key:
    """One key of the configuration.

    ``example`` is a value as TOML writes it. ``low`` and ``high`` are the range of a number; with
    ``above``, ``low`` itself is too small. ``shared``: an untrusted project file may set it too.
    """

    def __init__(
        self,
        name: str,
        kind: Kind,
        default: object,
        meaning: str,
        example: str,
        choices: tuple[str, ...] = (),
        *,
        low: float = 0,
        high: float = 0,
        above: bool = False,
        shared: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.meaning = meaning
        self.example = example
        self.choices = choices
        self.low = low
        self.high = high
        self.above = above
        self.shared = shared

    @property
    def variable(self) -> str:
        """The environment variable that sets the key."""
        return "DARKAI_" + self.name.upper()


LONGEST = 1_000_000
"""The longest timeout in seconds: the operating system's timers take no more."""

_ALL = (
    Key("provider", "name", "darkai", "the provider to use", '"darkai"'),
    Key(
        "model",
        "name",
        None,
        "the model to use: a name, an alias or `provider/model`; unset: the provider's default",
        '"llama-3-70b"',
        shared=True,
    ),
    Key("system", "text", None, "the system prompt", '"Answer in one sentence."', shared=True),
    Key(
        "options",
        "options",
        None,
        "a table of options sent with each request",
        "{ temperature = 0.7 }",
        shared=True,
    ),
    Key(
        "fallback",
        "list",
        None,
        "models or providers to try, in this order, if the service fails before the first token; "
        "`[]`: none; unset: for the default service only, servers on this machine and `demo`",
        '["demo"]',
    ),
    Key(
        "timeout",
        "number",
        None,
        "seconds to wait for the first token, and between tokens; unset: 600 and 60",
        "120",
        high=LONGEST,
        above=True,
    ),
    Key(
        "connect_timeout",
        "number",
        10.0,
        "seconds to wait for a connection",
        "10",
        high=LONGEST,
        above=True,
    ),
    Key("retries", "count", 2, "retries of a request before the first token", "2", high=10),
    Key(
        "proxy",
        "proxy",
        None,
        "the proxy; empty: none; unset: the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and "
        "`NO_PROXY` apply",
        '"http://localhost:3128"',
    ),
    Key(
        "ca_file",
        "path",
        None,
        "a PEM file of certificates to trust instead of the system's; relative to the config file",
        '"~/certificates/company.pem"',
    ),
    Key(
        "client_cert",
        "path",
        None,
        "a PEM file with your client certificate; it may contain the private key too",
        '"~/certificates/me.pem"',
    ),
    Key(
        "client_key",
        "path",
        None,
        "a PEM file with the private key of `client_cert`, if that file does not contain it",
        '"~/certificates/me.key"',
    ),
    Key(
        "max_wait",
        "number",
        60.0,
        "seconds to wait for a rate limit; if it is not set, darkai waits on a terminal as long as "
        "it takes, and shows a countdown",
        "60",
        high=LONGEST,
    ),
    Key("demo_delay", "number", 0.02, "seconds between the words of `demo`", "0.02", high=60),
    Key(
        "theme",
        "choice",
        "auto",
        "colors for a light or a dark terminal",
        '"dark"',
        ("auto", "light", "dark"),
        shared=True,
    ),
    Key("code_theme", "name", "auto", "the colors of code blocks", '"monokai"', shared=True),
    Key(
        "reasoning",
        "choice",
        "auto",
        "how to show a model's reasoning on a terminal",
        '"fold"',
        ("auto", "show", "fold", "hide"),
        shared=True,
    ),
    Key(
        "edit_mode",
        "choice",
        "emacs",
        "the key bindings of the prompt in `chat`",
        '"vi"',
        ("emacs", "vi"),
    ),
    Key(
        "editor",
        "text",
        None,
        "the editor for prompts and for `darkai config edit`; unset: `$VISUAL`, `$EDITOR`, vi",
        '"nano"',
    ),
    Key("input_history", "bool", True, "save the prompts entered in `chat`", "false"),
    Key(
        "overflow",
        "choice",
        "ask",
        "what `chat` does if a conversation does not fit the model's context window",
        '"drop"',
        ("ask", "drop", "send"),
    ),
    Key(
        "title",
        "choice",
        "prompt",
        "where a conversation's title comes from: its first prompt, or a request to the model",
        '"model"',
        ("prompt", "model"),
    ),
    Key("save", "bool", True, "save conversations in the history", "false"),
    Key("plain", "bool", False, "no colors and no redrawing", "true", shared=True),
    Key("markdown", "bool", True, "render Markdown on a terminal", "false", shared=True),
)

KEYS: dict[str, Key] = {key.name: key for key in _ALL}

PROVIDER_KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("type", "name", None, "the wire format of the service", '"darkai"'),
        Key("url", "url", None, "the URL of the service", '"http://localhost:8000/chat"'),
        Key("model", "name", None, "the default model", '"llama-3-70b"'),
        Key(
            "models",
            "list",
            None,
            "the models that it has; unset: the built-in list, or any name",
            '["llama-3-70b"]',
        ),
        Key("headers", "headers", None, "headers sent with each request", '{ X-Team = "blue" }'),
        Key("key_env", "name", None, "the environment variable of its API key", '"WORK_API_KEY"'),
        Key(
            "key_command",
            "text",
            None,
            "a command that prints its API key, run without a shell when the key is needed",
            '"pass show work"',
        ),
        Key(
            "options",
            "options",
            None,
            "a table of options sent with each request to it",
            "{ temperature = 0.2 }",
        ),
        Key(
            "limits",
            "list",
            None,
            "the requests that it allows per time, in `s`, `min`, `h` or `d`; darkai waits instead "
            "of exceeding them",
            '["4/min", "80/6h"]',
        ),
        Key(
            "allow_http_key",
            "bool",
            None,
            "send its API key over plain `http://` to another machine",
            "true",
        ),
        Key(
            "context",
            "count",
            None,
            "the size of its models' context window in tokens, for `chat`; unset: the size that "
            "the service lists",
            "8192",
            low=256,
            high=100_000_000,
        ),
    )
}

ALIAS = Key("alias", "name", None, "another name for a model", '"darkai/gpt-4o"')
OPTION = Key("option", "options", None, "one option", "0.7")

TABLES = ("aliases", "providers")
"""Top-level keys that are tables of the user's own names."""

URL_VARIABLE = "DARKAI_URL"
"""The environment variable of ``providers.darkai.url``."""

ADDRESS_VARIABLES = {
    "OLLAMA_HOST": "ollama", "OPENAI_BASE_URL": "openai", "AZURE_OPENAI_ENDPOINT": "azure",
}  # fmt: skip
"""Other programs' variables for the URL of a provider, and that provider."""

BUILT_IN_PROVIDERS: dict[str, tuple[str, ...]] = {
    "darkai": (),
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "ollama": (),
    "demo": (),
    "openrouter": ("OPENROUTER_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "perplexity": ("PERPLEXITY_API_KEY",),
    "huggingface": (),
    "github": (),
    "azure": ("AZURE_OPENAI_API_KEY",),
    "nvidia": ("NVIDIA_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "zai": ("ZAI_API_KEY", "ZHIPU_API_KEY"),
    "qwen": ("DASHSCOPE_API_KEY",),
    "sambanova": ("SAMBANOVA_API_KEY",),
    "deepinfra": ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    "nebius": ("NEBIUS_API_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "vercel": ("AI_GATEWAY_API_KEY",),
    "ollama-cloud": ("OLLAMA_API_KEY",),
    "lmstudio": ("LM_API_TOKEN",),
    "llamacpp": (),
    "vllm": ("VLLM_API_KEY",),
    "jan": ("JAN_API_KEY",),
    "litellm": ("LITELLM_API_KEY",),
}
"""The built-in providers, and the variables of a key that make one a configured provider.

A test compares them with the catalog of ``providers``.
"""

NEED_NOTHING = ("darkai", "demo")
"""Providers that work without a table and without a key."""


def split(dotted: str) -> tuple[str, ...] | None:
    """Return the path of a dotted key (``providers.darkai.url``); None if there is no such key.

    Names that the user chooses may contain dots: ``aliases.gpt-4.1`` has two parts.
    """
    head, dot, rest = dotted.partition(".")
    if not dot:
        return (head,) if head in KEYS or head in TABLES else None
    if not rest:
        return None
    if head in ("aliases", "options"):
        return head, rest
    if head != "providers":
        return None
    for table in ("headers", "options"):
        name, inner, entry = rest.partition(f".{table}.")
        if inner and name and entry:
            return head, name, table, entry
    name, _, field = rest.rpartition(".")
    if name and field in PROVIDER_KEYS:
        return head, name, field
    return head, rest


def key_at(path: tuple[str, ...]) -> Key | None:
    """Return the key of the value at ``path``; None for a table of names that the user chooses."""
    if path[0] == "aliases":
        return ALIAS if len(path) == 2 else None
    if path[0] == "providers":
        if path[2:3] == ("options",) and len(path) > 3:
            return OPTION
        return PROVIDER_KEYS.get(path[2]) if len(path) > 2 else None
    return OPTION if path[0] == "options" and len(path) > 1 else KEYS.get(path[0])


SECRETS = ("key", "api_key", "apikey", "token")
"""Names under which users put an API key into a provider's table, where it does not belong."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``; None if none is."""
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def template() -> str:
    """Return a ``config.toml`` of comments only, which ``darkai config edit`` starts from."""
    lines = [
        "# The configuration of darkai. Remove the `#` from a line to set the value.",
        "# `darkai config show` shows all values and where they come from.",
        "",
    ]
    for key in KEYS.values():
        lines += _comment(key), f"# {key.name} = {key.example}", ""
    lines += ["# [aliases]", f"# fast = {ALIAS.example}", "", "# [providers.darkai]"]
    for key in PROVIDER_KEYS.values():
        lines += _comment(key), f"# {key.name} = {key.example}"
    return "\n".join(lines) + "\n"


def _comment(key: Key) -> str:
    return f"## {key.meaning}{_details(key)}".replace("`", "")


def _details(key: Key) -> str:
    """Return the choices, the range and the default of a key."""
    parts = [", ".join(key.choices)] if key.choices else []
    if key.kind in ("number", "count"):
        parts.append(f"{'above' if key.above else 'from'} {key.low:g} to {key.high:.0f}")
    if key.default is not None:
        parts.append(f"default {_toml(key.default)}")
    return f" ({'; '.join(parts)})" if parts else ""


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


_KIND_NAMES: dict[Kind, str] = {
    "name": "text",
    "text": "text",
    "choice": "text",
    "bool": "true, false",
    "number": "seconds",
    "count": "whole number",
    "list": "list of texts",
    "url": "URL",
    "proxy": "URL",
    "path": "file",
    "options": "table",
    "headers": "table",
}

_REFERENCE = """\
# Configuration

<!-- Generated from darkai_cli/config/schema.py; a test compares. -->

`config.toml` is in the platform's configuration folder; `darkai config path` prints its path. If
`DARKAI_HOME` is set, all of darkai's files are in that folder.

darkai takes each value from the first of these that sets it:

1. a flag, such as `--model`;
2. an environment variable: `DARKAI_` and the key in capitals (an empty variable counts as unset);
3. `.darkai.toml` in the current folder or one above it, up to the home folder or the root of a git
   repository;
4. `config.toml`;
5. the default.

The tables `options`, `aliases` and `providers` are merged entry by entry. `darkai config show`
shows each value and where it comes from.

## Keys

{keys}

In an environment variable, separate the items of a list with commas
(`DARKAI_FALLBACK=work/llama-3-70b,demo`), and write a table in TOML or JSON
(`DARKAI_OPTIONS='temperature = 0.2, top_p = 0.9'`). `1`, `yes` and `on` mean true; `0`, `no` and
`off` mean false.

## `[aliases]`

Your own names for models:

```toml
[aliases]
fast = {alias}
```

## `[providers.NAME]`

Settings of a built-in provider ([list](providers.md)) or of your own:

```toml
[providers.work]
type = "darkai"
url = "https://chat.example.com/chat"
```

{providers}

`{variable}` sets the `url` of the provider `darkai`. `OLLAMA_HOST`, `OPENAI_BASE_URL` and
`AZURE_OPENAI_ENDPOINT` set the URLs of `ollama`, `openai` and `azure` if nothing else does. A URL
must not contain a user name or a password.

## Project files

A `.darkai.toml` comes with somebody's repository. It may set {shared}. The
`model` must belong to `darkai`, `demo` or a provider that you have configured, by a table or a key.
Anything else is ignored with a warning until you have read the file and run `darkai config trust`.
That records the file's SHA-256, so you have to trust a changed file again. A file that belongs to
another user is ignored completely until you trust it.

## Commands

| command | description |
|---|---|
| `darkai config show` | show each value and where it comes from; `--json` |
| `darkai config get KEY` | print one value |
| `darkai config set KEY VALUE` | write a value to `config.toml`, keeping comments and order |
| `darkai config unset KEY` | remove a value |
| `darkai config edit` | open `config.toml` in `$VISUAL`, `$EDITOR` or vi, then check it |
| `darkai config path` | print the path of `config.toml` |
| `darkai config trust [FILE]` | trust a project file as it is now |

`KEY` may be dotted: `aliases.fast`, `options.temperature`, `providers.darkai.url`.
"""


def reference() -> str:
    """Return the reference page of the configuration in Markdown."""
    keys = ["| key | variable | type | meaning |", "|---|---|---|---|"]
    keys += [
        f"| `{key.name}` | `{key.variable}` | {_KIND_NAMES[key.kind]} | "
        f"{key.meaning}{_details(key)} |"
        for key in KEYS.values()
    ]
    providers = ["| key | type | meaning |", "|---|---|---|"]
    providers += [
        f"| `{key.name}` | {_KIND_NAMES[key.kind]} | {key.meaning} |"
        for key in PROVIDER_KEYS.values()
    ]
    shared = [f"`{key.name}`" for key in KEYS.values() if key.shared]
    return _REFERENCE.format(
        keys="\n".join(keys),
        providers="\n".join(providers),
        alias=ALIAS.example,
        variable=URL_VARIABLE,
        shared=f"{', '.join(shared[:-1])} and {shared[-1]}",
    )
