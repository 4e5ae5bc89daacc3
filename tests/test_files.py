"""The file of ``--output``: nothing stays beside it, whatever stops it."""

from __future__ import annotations

from pathlib import Path

from darkai_cli.files import AtomicFile


def test_opened_again_after_a_stop_it_leaves_one_file():
    """A sink that a signal stopped while it was made is made again, to be closed."""
    file = AtomicFile("out.txt")
    file.open()
    file.open().write(b"whole")
    assert len(list(Path().iterdir())) == 1
    file.commit()
    assert [path.name for path in Path().iterdir()] == ["out.txt"]
    assert Path("out.txt").read_bytes() == b"whole"


def test_discarded_it_leaves_nothing():
    file = AtomicFile("out.txt")
    file.open()
    file.open()
    file.discard()
    assert list(Path().iterdir()) == []
