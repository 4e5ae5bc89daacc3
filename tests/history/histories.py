"""Histories of any shape, as hypothesis makes them, and what there is in a store."""

from __future__ import annotations

from hypothesis import strategies as st

from darkai_cli.events import Citation, ToolCall, ToolResult, to_json
from darkai_cli.history import ids
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    store_all,
    turn_for,
)
from darkai_cli.history.schema import STATES
from darkai_cli.history.turns import dumps
from darkai_cli.messages import Image

TEXTS = st.text(max_size=40)
IMAGES = st.lists(
    st.builds(Image, st.sampled_from(["image/png", "image/webp"]) | TEXTS, st.binary(), TEXTS),
    max_size=2,
).map(tuple)
PARTS = st.one_of(
    st.builds(ToolCall, TEXTS, TEXTS, TEXTS).map(to_json),
    st.builds(ToolResult, TEXTS, TEXTS, TEXTS, st.booleans()).map(to_json),
    st.builds(Citation, TEXTS, TEXTS).map(to_json),
    st.dictionaries(TEXTS, st.none() | st.integers(0, 9)),
)
"""What is shown with a reply: calls, results, sources, and what only a newer version knows."""
_TIMES = st.integers(0, 1 << 42)


@st.composite
def drafts(draw):
    """A conversation with branches, in which a reply may be anywhere below a prompt."""
    messages, turns, prompts = [], [], {}
    identifier, *names = ids.new_ids(1 + draw(st.integers(0, 6)), draw(_TIMES))
    for name in names:
        above = draw(st.sampled_from([None, *(m.id for m in messages)]))
        role = draw(st.sampled_from(["user", "assistant", "tool", "system"]))
        parts = draw(st.lists(PARTS, max_size=3))
        made = DraftMessage(
            name,
            above,
            role,
            draw(TEXTS),
            draw(TEXTS),
            dumps(parts),
            draw(_TIMES),
            draw(IMAGES) if role == "user" else (),
        )
        messages.append(made)
        prompts[name] = name if role == "user" else prompts.get(above)
        if role == "assistant" and draw(st.booleans()):
            turns.append(draw(_turn(made, prompts[name])))
    active = draw(st.sampled_from([None, *names]))
    created = draw(_TIMES)
    return ImportedConversation(
        identifier, draw(TEXTS), created, created + 5, active, "darkai", messages, turns
    )


@st.composite
def _turn(draw, reply, prompt):
    made = turn_for(
        ids.new_id(), reply, prompt=prompt, provider=draw(TEXTS), model=draw(TEXTS),
        state=draw(st.sampled_from(STATES[1:])),
    )  # fmt: skip
    return made._replace(
        system=draw(st.none() | TEXTS),
        error=draw(st.none() | TEXTS),
        reason=draw(st.none() | TEXTS),
        input_tokens=draw(st.none() | st.integers(0, (1 << 63) - 1)),
        first_text_ms=draw(st.none() | st.integers(0, 9)),
        options=dumps(draw(st.dictionaries(TEXTS, st.integers(0, 9), max_size=2))),
    )


def fill(store, result):
    """Store the conversations; their ids."""
    store_all(store, result, ImportReport())
    return [item.id for item in result]


def contents(store):
    """All that a person can see of a history; not the row numbers, not the file."""
    return {
        table: store.rows(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
        for table, columns in {
            "conversation": "id, title, created, updated, active, source",
            "message": "id, conversation, parent, role, text, reasoning, parts, created",
            "turn": "id, conversation, prompt, reply, provider, model, options, system, state, reason,"
            " error_kind, error, input_tokens, output_tokens, reasoning_tokens, cached_tokens,"
            " first_text_ms, duration_ms, started, resumes",
            "attachment": "message, seq, media_type, name, data",
        }.items()
    }


def branches(store, conversation):
    """How many branches a conversation has: messages that nothing follows."""
    result = store.row(
        "SELECT count(*) FROM message m WHERE conversation = ?"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE parent = m.id)",
        (conversation,),
    )
    return result[0]
