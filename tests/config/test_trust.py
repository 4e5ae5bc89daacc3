"""Project files: where they are looked for, what they may set, and how they become trusted."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from darkai_cli import files
from darkai_cli.config import paths, schema, trust
from darkai_cli.config.load import load
from darkai_cli.errors import ConfigError
from darkai_cli.providers.catalog import BUILT_IN
from darkai_cli.providers.services import GENERAL_TOKENS


@pytest.fixture
def project() -> Path:
    return Path.cwd() / ".darkai.toml"


def write_user(text: str) -> None:
    paths.config_dir().mkdir(exist_ok=True)
    paths.config_file().write_text(text)


def trust_now(file: Path) -> None:
    trust.record(file, file.read_bytes())


HARMLESS = """
system = "be brief"
model = "llama-3-70b"
theme = "dark"
code_theme = "monokai"
reasoning = "hide"
plain = true
markdown = false
[options]
temperature = 0.1
"""


def test_what_can_do_no_harm_is_taken(project: Path) -> None:
    project.write_text(HARMLESS)
    config = load()
    assert (config.system, config.model, config.theme) == ("be brief", "llama-3-70b", "dark")
    assert (config.code_theme, config.reasoning) == ("monokai", "hide")
    assert (config.plain, config.markdown) == (True, False)
    assert config.options == {"temperature": 0.1}
    assert config.notices == ()
    assert not paths.trust_file().exists()


@pytest.mark.parametrize(
    "text",
    [
        'provider = "demo"',
        'proxy = "http://evil.invalid"',
        'ca_file = "ca.pem"',
        "fallback = []",
        'aliases = { fast = "darkai/x" }',
        'providers.darkai.url = "http://evil.invalid"',
        'unknown_key_of_another_version = "x"',
        'model = "evil/llama"',
        "timeout = 'not even valid'",
    ],
)
def test_anything_else_is_ignored_and_told(project: Path, text: str) -> None:
    key = text.partition(" ")[0].partition(".")[0]
    project.write_text(f'theme = "dark"\n{text}\n')
    config = load()
    assert config.theme == "dark"
    if key in schema.KEYS:
        assert not config.chosen(key)
    assert (config.aliases, config.providers) == ({}, {})
    (notice,) = config.notices
    assert f"`{project}`" in notice
    assert f"`{key}`" in notice
    assert "`darkai config trust`" in notice


def test_every_key_is_either_display_or_in_the_list_above() -> None:
    shared = {key.name for key in schema.KEYS.values() if key.shared}
    display = {"theme", "code_theme", "reasoning", "plain", "markdown"}
    assert shared == {"model", "system", "options"} | display


def test_the_model_of_a_known_provider_only(project: Path) -> None:
    write_user('[providers.work]\nurl = "http://a"\n[aliases]\n"x/y" = "work/m"\n')
    for model in ("work/m", "demo/demo", "darkai/gpt-4o", "plain", "x/y"):
        project.write_text(f'model = "{model}"\n')
        assert (load().model, load().notices) == (model, ())
    for model in ("workk/m", "/m", " evil/wo" + "rk/m"):
        project.write_text(f'model = "{model}"\n')
        assert load().model is None
        assert load().notices


def test_the_built_in_providers_are_those_of_the_catalog() -> None:
    keys = {
        name: tuple(item for item in row.key_env if item not in GENERAL_TOKENS)
        for name, row in BUILT_IN.items()
    }
    assert keys == schema.BUILT_IN_PROVIDERS
    assert set(schema.NEED_NOTHING) < set(BUILT_IN)


@pytest.mark.parametrize(
    ("model", "env"),
    [
        ("openai/gpt-4o", {"OPENAI_API_KEY": "sk-of-the-user"}),
        ("deepinfra/m", {"DEEPINFRA_TOKEN": "of-the-user"}),
        ("ollama/llama3", {"OLLAMA_HOST": "127.0.0.1:1"}),
    ],
)
def test_the_model_of_a_provider_that_has_a_key_or_an_address(
    project: Path, model: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the user set nothing up, a project does not choose who gets the prompt."""
    project.write_text(f'model = "{model}"\n')
    assert load().model is None
    assert load().notices
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if "OLLAMA_HOST" in env:  # an address is weaker than a project file, and comes after it
        assert load().model is None
    else:
        assert (load().model, load().notices) == (model, ())


def test_a_token_of_many_programs_does_not_configure_a_provider(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_of_the_user")
    project.write_text('model = "github/openai/gpt-4o"\n')
    assert load().model is None


def test_a_flood_of_keys_is_told_briefly(project: Path) -> None:
    project.write_text("".join(f"{'k' * 300}{number} = 1\n" for number in range(500)))
    notices = load().notices
    assert len(notices) == 6
    assert "495 more keys" in notices[-1]
    assert max(map(len, notices)) < 400


def test_a_trusted_file_sets_everything_until_it_changes(project: Path) -> None:
    project.write_text('retries = 5\n[providers.darkai]\nurl = "http://a/"\n')
    trust_now(project)
    config = load()
    assert (config.retries, config.providers["darkai"].url) == (5, "http://a/")
    assert config.origin("retries") == ("project", str(project))
    assert config.notices == ()
    project.write_text(project.read_text() + "# changed\n")
    config = load()
    assert (config.retries, config.providers) == (2, {})
    assert len(config.notices) == 2


def test_trust_is_for_one_place(project: Path) -> None:
    text = "retries = 5\n"
    project.write_text(text)
    trust_now(project)
    elsewhere = project.parent / "sub" / ".darkai.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(text)
    assert load(cwd=elsewhere.parent).retries == 2
    assert load().retries == 5


def test_the_list_of_trusted_files_is_private_and_grows(project: Path) -> None:
    other = project.parent / "other" / ".darkai.toml"
    trust.record(project, b"a")
    trust.record(other, b"b")
    store = paths.trust_file()
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert json.loads(store.read_bytes()).keys() == {str(project), str(other)}


@pytest.mark.parametrize("damage", [b"{", b"[]", b"\xff", b"[" * 100000, b'{"x": 1}'])
def test_a_damaged_list_trusts_nobody_and_is_not_overwritten(project: Path, damage: bytes) -> None:
    project.write_text("retries = 5\n")
    trust_now(project)
    paths.trust_file().write_bytes(damage)
    assert load().retries == 2
    if damage != b'{"x": 1}':
        with pytest.raises(ConfigError, match="is damaged"):
            trust_now(project)
        assert paths.trust_file().read_bytes() == damage


def test_a_file_of_another_user_sets_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_text('theme = "dark"\n')
    monkeypatch.setattr(trust, "_accepted_owners", lambda: (4711,))
    config = load()
    assert config.theme == "auto"
    assert "another user" in config.notices[0]
    assert "`darkai config trust`" in config.notices[0]
    trust_now(project)
    assert load().theme == "dark"
    assert load().notices == ()


def test_a_project_file_that_is_no_toml_names_the_line(project: Path) -> None:
    project.write_text("theme = 'dark'\nmodel = \n")
    with pytest.raises(ConfigError) as caught:
        load()
    assert caught.value.message.startswith(f"`{project}:2` is not valid TOML")
    assert "config edit" not in (caught.value.hint or "")


def test_what_cannot_be_read_is_ignored_and_told(project: Path) -> None:
    project.mkdir()
    assert "Ignoring `" in load().notices[0]
    project.rmdir()
    os.mkfifo(project)
    assert "not a regular file" in load().notices[0]
    project.unlink()
    project.symlink_to("/dev/zero")
    assert "not a regular file" in load().notices[0]
    project.unlink()
    project.write_bytes(b"#" * (files.LARGEST + 1))
    assert "larger than 1 MiB" in load().notices[0]


def test_a_link_to_nowhere_is_no_file(project: Path) -> None:
    project.symlink_to("nowhere")
    assert load().notices == ()


# --- the search ---


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


def project_path(cwd: Path) -> Path | None:
    return paths.project_file(cwd=cwd)


def test_the_nearest_file_wins(home: Path) -> None:
    deep = home / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (home / "a" / ".darkai.toml").touch()
    assert project_path(deep) == home / "a" / ".darkai.toml"
    (deep / ".darkai.toml").touch()
    assert project_path(deep) == deep / ".darkai.toml"


def test_the_root_of_a_git_tree_ends_the_search(home: Path) -> None:
    root = home / "a" / "b"
    deep = root / "c"
    deep.mkdir(parents=True)
    (home / "a" / ".darkai.toml").touch()
    (root / ".git").touch()  # a file in a worktree, else a folder
    assert project_path(deep) is None
    (root / ".darkai.toml").touch()
    assert project_path(deep) == root / ".darkai.toml"


def test_the_home_folder_ends_the_search(home: Path) -> None:
    (home.parent / ".darkai.toml").touch()
    (home / "a").mkdir()
    assert project_path(home / "a") is None
    assert project_path(home.parent) == home.parent / ".darkai.toml"
    (home / ".darkai.toml").touch()
    assert project_path(home / "a") == home / ".darkai.toml"


def test_a_home_folder_that_is_a_link_ends_it_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.parent / ".darkai.toml").touch()
    link = home.parent / "link"
    link.symlink_to(home)
    (home / "a").mkdir()
    monkeypatch.setenv("HOME", str(link))
    assert project_path(link / "a") is None
    assert project_path(home / "a") is None


def test_a_deleted_current_folder_has_no_project(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert paths.project_file() is None
    load()
