from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darkai_cli.history import ids

times = st.integers(0, (1 << 48) - 1)


@given(times, times)
def test_ids_sort_by_time(item, other):
    if item != other:
        assert (ids.new_id(item) < ids.new_id(other)) == (item < other)


@given(times)
def test_an_id_tells_its_time(ms):
    made = ids.new_id(ms)
    assert ids.ms_of(made) == ms
    assert ids.is_id(made)


def test_ids_made_together_are_in_order_and_all_different():
    made = ids.new_ids(500)
    assert made == sorted(set(made))
    assert len({ids.new_id() for _ in range(2000)}) == 2000


def test_derived_ids_depend_on_every_part_of_the_origin():
    assert ids.derived_id(5, "a", "bc") == ids.derived_id(5, "a", "bc")
    assert (
        len(
            {
                ids.derived_id(5, "a", "bc"),
                ids.derived_id(5, "ab", "c"),
                ids.derived_id(6, "a", "bc"),
            }
        )
        == 3
    )
    assert ids.is_id(ids.derived_id(5, "\ud800"))


@given(st.text(max_size=30))
def test_only_ids_are_ids(text):
    assert ids.is_id(text) == (
        len(text) == 26
        and text[0] in "01234567"
        and set(text) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    )


def test_what_people_type_is_put_right():
    assert ids.normalized(" 01ILO5X\n") == "011105x"


def test_the_short_form_is_as_long_as_needed():
    assert ids.shortest("a" * 26) == "a" * 7
    assert ids.shortest("a" * 26, None, "a" * 9 + "b" * 17) == "a" * 10
    assert ids.shortest("abcdefghij" + "0" * 16, "zzz" + "0" * 23) == "abcdefg"
