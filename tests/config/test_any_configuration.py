"""Whatever stands in the files, the environment or a value: an error of ours, or the right result."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.config import schema, values, write
from darkai_cli.config.load import load
from darkai_cli.errors import ConfigError
from darkai_cli.secrets import mask_proxy

texts = st.text(st.characters(codec="utf-8"), max_size=12)
scalars = st.one_of(
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    texts,
    st.datetimes(),
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
provider_tables = st.dictionaries(st.sampled_from([*schema.PROVIDER_KEYS, "x"]), nested, max_size=4)
tables = st.fixed_dictionaries(
    {},
    optional={
        **{
            key.name: st.one_of(nested, st.just(tomllib.loads(f"x = {key.example}")["x"]))
            for key in schema.KEYS.values()
        },
        "aliases": st.dictionaries(texts, texts, max_size=3) | nested,
        "providers": st.dictionaries(texts, provider_tables, max_size=3) | nested,
    },
)


def in_a_folder(
    config: bytes | None = None, project: bytes | None = None
) -> tuple[Path, dict[str, str]]:
    folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
    if config is not None:
        (folder / "config.toml").write_bytes(config)
    if project is not None:
        (folder / ".darkai.toml").write_bytes(project)
    return folder, {"DARKAI_HOME": str(folder), "HOME": str(folder)}


def error_message(call: Callable[[], object]) -> str | None:
    """The message of the error that the call ends in; None if it ends in none."""
    try:
        call()
    except ConfigError as error:
        message = error.message
    else:
        return None
    assert 0 < len(message) < 600
    return message


@given(st.binary(max_size=80) | texts.map(str.encode), st.booleans())
def test_any_bytes_are_read_or_told(data: bytes, is_project: bool) -> None:
    folder, environ = in_a_folder(**{"project" if is_project else "config": data})
    message = error_message(lambda: load(environ=environ, cwd=folder))
    assert message is None or str(folder) in message


@given(tables, st.booleans())
def test_any_toml_is_read_or_told(table: dict[str, Any], is_project: bool) -> None:
    data = tomlkit.dumps(table).encode()
    folder, environ = in_a_folder(**{"project" if is_project else "config": data})
    message = error_message(lambda: load(environ=environ, cwd=folder))
    if message is not None:
        assert str(folder) in message
        return
    config = load(environ=environ, cwd=folder)
    for key in (*schema.KEYS, "aliases", "providers"):
        assert config.origin(key).kind in ("default", "project" if is_project else "user")
    json.dumps(config.options, allow_nan=False)
    if is_project:
        assert (config.provider, config.proxy, config.ca_file) == ("darkai", None, None)
        assert (config.fallback, config.aliases, config.providers) == (None, {}, {})


@given(
    st.sampled_from([*(key.variable for key in schema.KEYS.values()), schema.URL_VARIABLE]),
    st.text(max_size=20).filter(lambda text: "\0" not in text)
    | scalars.map(str)
    | nested.map(lambda value: json.dumps(value, default=str)),
)
def test_any_variable_is_read_or_told(variable: str, text: str) -> None:
    folder, environ = in_a_folder()
    message = error_message(lambda: load(environ={**environ, variable: text}, cwd=folder))
    assert message is None or message.startswith(f"`{variable}` ")


# --- writing ---

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
changes = st.one_of(
    st.tuples(st.sampled_from(["model", "system", "code_theme"]), texts),
    st.tuples(st.sampled_from(["timeout", "retries"]), st.integers(0, 12).map(str)),
    st.tuples(st.just("fallback"), st.lists(names, max_size=3).map(",".join)),
    st.tuples(names.map("aliases.{}".format), texts),
    st.tuples(names.map("options.{}".format), nested.map(lambda v: json.dumps(v, default=str))),
    st.tuples(names.map("providers.{}.model".format), texts),
    st.tuples(names.map("providers.{}.headers.X".format), texts),
)
valid_tables = st.fixed_dictionaries(
    {},
    optional={
        "model": names,
        "timeout": st.integers(1, 9),
        "options": st.dictionaries(names, st.integers() | texts, max_size=2),
        "aliases": st.dictionaries(names, names, max_size=3),
        "providers": st.dictionaries(
            names,
            st.fixed_dictionaries(
                {}, optional={"model": names, "headers": st.dictionaries(names, names, max_size=2)}
            ),
            max_size=3,
        ),
    },
)


def merged(table: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    inner = value if len(path) == 1 else merged(table.get(path[0], {}), path[1:], value)
    return {**table, path[0]: inner}


@given(valid_tables, st.lists(st.tuples(changes, st.booleans()), max_size=4))
def test_a_change_changes_what_it_says_and_nothing_else(
    table: dict[str, Any], steps: list[tuple[tuple[str, str], bool]]
) -> None:
    start = "# first\n" + tomlkit.dumps(table) + "# last\n"
    folder, environ = in_a_folder(config=start.encode())
    file = folder / "config.toml"
    for (key, text), then_unset in steps:
        before = tomllib.loads(file.read_text())
        message = error_message(partial(write.set_value, key, text, environ=environ))
        if message is not None:
            assert "only you can change" not in message
            assert tomllib.loads(file.read_text()) == before
            continue
        path = schema.split(key)
        assert path is not None
        row = schema.key_at(path)
        assert row is not None
        value = text if len(path) == 4 else values.parse(row, text)
        assert tomllib.loads(file.read_text()) == merged(before, path, value)
        if then_unset:
            assert write.unset_value(key, environ=environ)
            place: Any = tomllib.loads(file.read_text())
            for part in path[:-1]:
                place = place.get(part, {})
            assert path[-1] not in place
    assert file.read_text().startswith("# first\n")
    assert "# last\n" in file.read_text()


@given(st.binary(max_size=60) | texts.map(str.encode))
def test_a_file_that_cannot_be_read_is_not_written(data: bytes) -> None:
    folder, environ = in_a_folder(config=data)
    message = error_message(lambda: write.set_value("model", "m", environ=environ))
    after = (folder / "config.toml").read_bytes()
    if message is None:
        assert tomllib.loads(after.decode().removeprefix("\ufeff"))["model"] == "m"
    else:
        assert after == data


# --- masks ---

secrets = st.text("abc:@/?#%.é", min_size=1, max_size=8).filter(lambda text: "x" not in text)


@given(st.sampled_from(["", "http://", "socks5h://"]), secrets)
def test_no_part_of_a_proxys_credentials_is_shown(scheme: str, secret: str) -> None:
    screen = mask_proxy(f"{scheme}{secret}@xx:1")
    assert screen == f"{scheme}***@xx:1"


def refusal(url: str) -> str:
    try:
        values.check(schema.PROVIDER_KEYS["url"], url)
    except values.Invalid as fault:
        return fault.rule
    return ""


@given(secrets.map("q{}q".format))
def test_no_refused_url_repeats_its_credentials(secret: str) -> None:
    for url in (
        f"http://{secret}@xx/",
        f"http://u:{secret}@xx/",
        f"{secret}@xx",
        f"ftp://{secret}@xx",
    ):
        assert "q" not in refusal(url)
