"""The lists of models that are kept: whole, private, a day long; whatever lies there breaks nothing."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.providers import model_cache
from darkai_cli.providers.base import ModelInfo

URL = "https://api.example.com/v1"
FULL = ModelInfo(
    "a/b", ("c",), "A B", 131072, 4096, ("text", "image"), ("text",), 0.15, 0.6, 1700000000, "me"
)


def cache_file() -> Path:
    (file,) = (Path(os.environ["DARKAI_HOME"]) / "cache" / "models").iterdir()
    return file


def test_what_is_kept_comes_back_as_it_was() -> None:
    assert model_cache.read("x", URL) is None
    model_cache.write("x", URL, [FULL, ModelInfo("plain")])
    assert model_cache.read("x", URL) == [FULL, ModelInfo("plain")]
    assert stat.S_IMODE(cache_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(cache_file().parent.stat().st_mode) == 0o700


def test_another_url_or_provider_has_another_list() -> None:
    model_cache.write("x", URL, [FULL])
    assert model_cache.read("x", "https://api.example.com/v2") is None
    assert model_cache.read("y", URL) is None
    long = "https://api.example.com/" + "a" * 400
    model_cache.write("x", long + "1", [FULL])
    assert model_cache.read("x", long + "2") is None, "the file's name is cut, its content is not"


@pytest.mark.parametrize(
    ("age", "fresh"), [(10, True), (86000, True), (86500, False), (-60, False)]
)
def test_a_day(age: float, fresh: bool) -> None:
    model_cache.write("x", URL, [FULL])
    data = json.loads(cache_file().read_text())
    data["time"] = time.time() - age
    cache_file().write_text(json.dumps(data))
    assert (model_cache.read("x", URL) is not None) == fresh
    assert model_cache.read("x", URL, old=True) == [FULL]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "time", "models", *ModelInfo._fields]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(rows=JSON, row=st.dictionaries(st.sampled_from(ModelInfo._fields), JSON))
def test_no_content_breaks_it(rows: Any, row: dict[str, Any]) -> None:
    model_cache.write("x", URL, [FULL])
    file = cache_file()
    for models in (rows, [rows], [{"name": "m", **row}]):
        file.write_text(json.dumps({"url": URL, "time": time.time(), "models": models}))
        for model in model_cache.read("x", URL) or ():
            assert isinstance(model.name, str)
            assert model.name
            assert model.context is None or isinstance(model.context, int)
            assert all(isinstance(item, str) for item in (*model.takes, *model.aliases))


@given(st.binary(max_size=60))
def test_no_bytes_break_it(data: bytes) -> None:
    model_cache.write("x", URL, [FULL])
    cache_file().write_bytes(data)
    assert model_cache.read("x", URL) is None


def test_a_folder_that_cannot_be_written_is_no_error() -> None:
    home = Path(os.environ["DARKAI_HOME"])
    home.mkdir(parents=True)
    (home / "cache").write_text("in the way")
    model_cache.write("x", URL, [FULL])
    assert model_cache.read("x", URL) is None
