from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkai_cli.history import ids, search
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    store_all,
)
from darkai_cli.history.store import Store

NOW = 1_700_000_000_000


def put(store, *texts, start=NOW, step=1000):
    conversation, *names = ids.new_ids(len(texts) + 1, start)
    messages = [
        DraftMessage(name, None, "user", text, "", "[]", start + at * step)
        for at, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    store_all(
        store,
        [ImportedConversation(conversation, "title", start, start, None, "darkai", messages, [])],
        ImportReport(),
    )


@pytest.fixture
def store(database):
    with Store(database) as opened:
        yield opened


def find_hits(store, words, **how):
    return [
        "".join(piece for piece, _ in hit.snippet)
        for hit in search.search(store, words, **how).hits
    ]


def test_words_phrases_and_beginnings(store):
    put(store, "the quick brown fox", "the brown quick dog", "Café Quarter", "quicksand")
    assert sorted(find_hits(store, "quick")) == ["the brown quick dog", "the quick brown fox"]
    assert find_hits(store, "QUICK fox") == ["the quick brown fox"]
    assert find_hits(store, '"quick brown"') == ["the quick brown fox"]
    assert find_hits(store, '"quick bro"*') == ["the quick brown fox"]
    assert sorted(find_hits(store, "quick*")) == [
        "quicksand",
        "the brown quick dog",
        "the quick brown fox",
    ]
    assert find_hits(store, "cafe") == ["Café Quarter"]
    assert find_hits(store, "absent") == []
    assert find_hits(store, "quick absent") == []


def test_punctuation_is_looked_for_as_typed(store):
    put(store, "I like C", "I like C++ more", "c# too", "snake_case here", "a.b")
    assert find_hits(store, "C++") == ["I like C++ more"]
    assert find_hits(store, "c#") == ["c# too"]
    assert find_hits(store, "snake_case") == ["snake_case here"]
    assert find_hits(store, "a.b") == ["a.b"]


def test_operators_are_words(store):
    put(store, "this OR that", "NOT near", "a AND b")
    assert find_hits(store, "OR") == ["this OR that"]
    assert find_hits(store, "NOT near") == ["NOT near"]
    assert find_hits(store, "a AND b") == ["a AND b"]
    assert find_hits(store, "text:that") == []


@pytest.mark.parametrize("words", ['"', "*", "++", "", "   ", '""', "-", "\0", '"*', "* *"])
def test_nothing_to_look_for_is_no_error(store, words):
    put(store, "text")
    got = search.search(store, words)
    assert (got.hits, got.total) == ([], 0)
    if words.strip(' "\0'):
        assert got.ignored


TEXT = st.text(
    st.sampled_from("ab\"*'+-:^(){}~ \0\ud800é漢NOTANDOR\\") | st.characters(), max_size=15
)


@given(TEXT)
@example('a" OR "b')
@example("NEAR(a b)")
@example("a\0b")
@example("हिन्दी")
def test_no_input_is_an_error(tmp_path_factory, words):
    with Store(tmp_path_factory.getbasetemp() / "search.db") as store:
        if store.latest() is None:
            put(store, "a b NOT and or", "हिन्दी भाषा")
        search.search(store, words)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=10).filter(str.isalpha))
def test_every_word_finds_the_text_it_is_in(tmp_path_factory, word):
    with Store(tmp_path_factory.mktemp("search") / "history.db") as store:
        put(store, f"before {word} after")
        assert len(find_hits(store, word)) == 1


def test_the_match_is_marked_whatever_the_text_holds(store):
    put(store, "\x02\x03 <b>word</b> \x02")
    (hit,) = search.search(store, "word").hits
    assert hit.snippet == (("\x02\x03 <b>", False), ("word", True), ("</b> \x02", False))


def test_a_long_text_is_cut_around_the_match(store):
    put(store, "filler " * 500 + "needle " + "filler " * 500)
    (text,) = find_hits(store, "needle")
    assert "needle" in text
    assert len(text) < 200


def test_better_matches_come_first(store):
    put(store, "needle in much other text that goes on and on and on", "needle needle", "nothing")
    assert find_hits(store, "needle")[0] == "needle needle"


def test_since_limit_and_total(store):
    put(store, *["word"] * 30)
    assert len(find_hits(store, "word")) == 20
    got = search.search(store, "word", limit=5)
    assert (len(got.hits), got.total, got.by_date) == (5, 30, False)
    assert len(find_hits(store, "word", since=NOW + 25_000)) == 5


def test_very_many_hits_come_newest_first(store, monkeypatch):
    monkeypatch.setattr(search, "RANKED", 9)
    put(store, *["word"] * 10, start=NOW)
    put(store, "old word", start=NOW - 100_000)  # taken later, but older
    put(store, "new word", start=NOW + 100_000)
    got = search.search(store, "word", limit=100)
    assert got.by_date
    assert got.total == 10  # as far as it was counted
    times = [hit.created for hit in got.hits]
    assert times == sorted(times, reverse=True)
    assert len(times) == 12


def test_more_messages_than_fit_into_a_second_stay_in_order(store):
    put(store, *[f"word {n}" for n in range(1000)], step=0)
    numbers = [row[0] for row in store.rows("SELECT n FROM message ORDER BY id")]
    assert numbers == sorted(set(numbers))


def test_reasoning_is_found_too(store):
    identifier, name = ids.new_ids(2)
    message = DraftMessage(name, None, "assistant", "answer", "secret thought", "[]", NOW)
    store_all(
        store,
        [ImportedConversation(identifier, "", NOW, NOW, None, "darkai", [message], [])],
        ImportReport(),
    )
    assert find_hits(store, "thought") == ["secret thought"]
