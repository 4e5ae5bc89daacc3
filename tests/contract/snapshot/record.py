"""Write the snapshot anew: ``python tests/contract/snapshot/record.py [DIALECT ...]``."""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

TESTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))

from contract.snapshot.forking import Forking  # noqa: E402
from contract.snapshot.plays import KINDS, path_of, perform, plays, save  # noqa: E402

WORKERS = 6


def record(kind: str, base: Path) -> dict[str, Any]:
    """What is written down of each play of a dialect."""
    idle: SimpleQueue[Forking] = SimpleQueue()
    everything = list(plays(kind).items())
    forks = [Forking() for _ in range(WORKERS)]
    for forking in forks:
        idle.put(forking)

    def performed(number: int) -> dict[str, Any]:
        forking = idle.get()
        try:
            return perform(forking, kind, everything[number][1], base / kind / str(number))
        finally:
            idle.put(forking)

    with ThreadPoolExecutor(WORKERS) as pool:
        written = list(pool.map(performed, range(len(everything))))
    for forking in forks:
        forking.__exit__()
    return {name: result for (name, _), result in zip(everything, written, strict=True)}


def main() -> None:
    """Record the dialects that are named, or all."""
    with tempfile.TemporaryDirectory() as base:
        os.chdir(base)
        for kind in sys.argv[1:] or KINDS:
            data = record(kind, Path(base))
            save(kind, data)
            print(f"{path_of(kind).name}: {len(data)} plays")


if __name__ == "__main__":
    main()
