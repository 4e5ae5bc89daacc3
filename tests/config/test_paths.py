"""Where darkai keeps its files, and what loading the configuration imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.config import paths


def test_darkai_home_holds_everything_side_by_side() -> None:
    home = Path(os.environ["DARKAI_HOME"])
    assert {paths.config_dir(), paths.data_dir(), paths.cache_dir().parent} == {home}
    assert paths.config_file() == home / "config.toml"
    assert paths.state_file().parent == paths.trust_file().parent == home


def test_the_platforms_folders_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", sys.platform)
    monkeypatch.delenv("DARKAI_HOME")
    folders = [paths.config_dir(), paths.data_dir(), paths.cache_dir()]
    home = Path(os.environ["HOME"])
    assert all(folder.is_relative_to(home) for folder in folders)
    assert all("darkai" in folder.name for folder in folders)
    assert paths.config_dir({"DARKAI_HOME": ""}) == folders[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs decides alone")
@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(
                ["", "/", "/a b", "relative/one", " ", " /x", "/y ", "~/z", "/w/"]
            )
            for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
        },
    )
)
def test_the_folders_are_those_that_platformdirs_names(values: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DARKAI_HOME")
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        for name, value in values.items():
            patch.setenv(name, value)
        assert paths.config_dir() == platformdirs.user_config_path("darkai", appauthor=False)
        assert paths.data_dir() == platformdirs.user_data_path("darkai", appauthor=False)
        assert paths.cache_dir() == platformdirs.user_cache_path("darkai", appauthor=False)


def test_darkai_home_may_be_relative_or_begin_with_a_tilde() -> None:
    assert paths.config_dir({"DARKAI_HOME": "x"}) == Path.cwd() / "x"
    assert paths.config_dir({"DARKAI_HOME": "~/x"}) == Path.home() / "x"


def test_loading_without_files_imports_next_to_nothing() -> None:
    code = (
        "import sys, pathlib, typing, contextlib; before = set(sys.modules)\n"
        "from darkai_cli.config.load import load; config = load()\n"
        "config.chosen('providers.darkai.url'); config.origin('proxy')\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name for name in done.stdout.split() if not name.startswith("darkai_cli")}
    assert new <= {"__future__", "math", "time"}


def test_loading_a_file_imports_tomllib_alone() -> None:
    paths.config_dir().mkdir()
    paths.config_file().write_text('model = "m"\n[options]\na = 1\n')
    code = (
        "import sys, pathlib, tomllib; before = set(sys.modules)\n"
        "from darkai_cli.config.load import load; config = load()\n"
        "assert config.chosen('model') and config.options == {'a': 1}\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name for name in done.stdout.split() if not name.startswith("darkai_cli")}
    assert new <= {"__future__", "math", "time"}
