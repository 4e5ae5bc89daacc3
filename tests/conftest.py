"""What holds for every test: an isolated environment, no network but loopback, tame hypothesis.

Nothing here is needed by name: all of it is automatic. A test that wants the folders reads
``DARKAI_HOME`` or ``HOME`` from the environment; the current folder is empty and its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from support.isolation import ROOT, clean_environment, cut_network

_EXAMPLES = DirectoryBasedExampleDatabase(ROOT / ".hypothesis" / "examples")

settings.register_profile(
    "default",
    deadline=None,
    max_examples=60,
    database=_EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers for each core: half of the tests wait for a process, a retry, a closed socket."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(2 * (cores or 1), 16)


for _name in ("SIGINT", "SIGHUP", "SIGTERM"):
    # A runner under nohup, or in the background of a script, has them ignored, and so would every
    # process that the tests start.
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        usual = signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(_number, usual)

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def _offline() -> Iterator[None]:
    with cut_network():
        yield


@pytest.fixture(scope="session")
def _machines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machines")


@pytest.fixture(autouse=True)
def isolated(_machines: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where nobody has ever used darkai; the folder that holds it."""
    base = _machines / str(next(_numbers))
    for folder in ("home", "work", "run"):
        (base / folder).mkdir(parents=True)
    wanted = clean_environment(base, os.environ)
    for name in os.environ.keys() - wanted.keys():
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(base / "work")
    return base
