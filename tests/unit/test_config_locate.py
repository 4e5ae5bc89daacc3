"""The line of each key."""

from __future__ import annotations

from darkai_cli.config.locate import lines


def test_every_way_of_writing_a_key() -> None:
    text = '''\
# comment
a = 1
"b c" = "x # no comment"  # comment [
'd"e' = \'\'\'
f = 1
\'\'\'
"g\\u0068" = """
[i]
\\""" ""
""""" # two quotes before the end
  j . "k.l" = [ # [
   1, "]",
   { x = 1 }, # }
]
[ m . n ] # comment
o = { p = 1,q = "}" }
[[r]]
s = 2020-01-01T00:00:00Z
[[r]]
s = 1
[m]
t = ""
u = \'\'\'\'\'\'
v = """"""
w = """a""""
x = \'\'\'\'a\'\'\'\'
y = 1'''
    found = lines(text)
    assert found[("a",)] == 2
    assert found[("b c",)] == 3
    assert found[('d"e',)] == 4
    assert found[("gh",)] == 7
    assert found[("j",)] == found[("j", "k.l")] == 11
    assert ("f",) not in found
    assert ("i",) not in found
    assert found[("m", "n")] == 15
    assert found[("m", "n", "o")] == 16
    assert found[("r", "s")] == 20
    assert found[("m",)] == 21
    assert [found[("m", name)] for name in "tuvwxy"] == [22, 23, 24, 25, 26, 27]


def test_crlf_counts_once() -> None:
    assert lines("a = 1\r\n\r\n[b]\r\nc = 1\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


def test_a_text_without_keys_has_no_lines() -> None:
    for text in ("", "\n\n", "# a = 1", "  "):
        assert lines(text) == {}


def test_a_text_that_is_no_toml_ends_the_search() -> None:
    assert lines("a = 1\n= 2\nb = 3\n") == {("a",): 1}
    assert lines('a = "\nb = 3\n') == {("a",): 1}


def test_a_large_file_takes_one_pass() -> None:
    count = 20_000
    assert len(lines("".join(f"k{number} = [1,\n2]\n" for number in range(count)))) == count
