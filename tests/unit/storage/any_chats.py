"""Any chat at all, for hypothesis."""

from dataclasses import replace

from hypothesis import strategies as st

from app.domain.budget import Policy, Summary
from app.domain.chat import Chat, Message, ModelIdentity, Role, Status
from app.domain.generation import Choice, Chosen, Stats, StopReason
from app.domain.settings import Settings
from app.domain.whole_chat import WholeChat

WORDS = st.text(max_size=12)
MOMENTS = st.floats(0, 4e9)
MODELS = st.none() | st.builds(ModelIdentity, WORDS, WORDS, WORDS)
SETTINGS = st.none() | st.builds(
    Settings,
    temperature=st.none() | st.floats(0.1, 5),
    seed=st.none() | st.integers(0, 1000),
    dry_breakers=st.just(("\n", "。")),
    logit_bias=st.just((("火", 1.5), (7, -1.0))),
    grammar=WORDS,
)
STATS = st.none() | st.builds(
    Stats,
    st.sampled_from(StopReason),
    st.integers(0, 10**6),
    st.integers(0, 100),
    st.integers(0, 100),
    st.floats(0, 100),
    st.floats(0, 100),
    st.floats(0, 100),
    st.integers(0, 100),
    st.integers(0, 100),
    samplers=st.just(("top_k", "temperature")),
)
CHOICES = st.builds(Choice, st.integers(0, 10**5), WORDS, st.integers(-90, 0).map(float))
TOKENS = st.lists(
    st.builds(Chosen, CHOICES, st.lists(CHOICES, max_size=2).map(tuple)), min_size=1, max_size=2
)


@st.composite
def whole_chats(draw: st.DrawFn) -> WholeChat:
    """Ids begin anywhere and leave gaps, as in a database with other chats."""
    ids = sorted(draw(st.sets(st.integers(1, 500), max_size=7)))
    messages = []
    for place, number in enumerate(ids):
        above = st.none() | st.sampled_from(ids[:place]) if place else st.none()
        earlier = st.none() | st.sampled_from(ids[: place + 1])
        messages.append(
            Message(
                number,
                3,
                draw(above),
                draw(st.sampled_from(Role)),
                draw(WORDS),
                draw(st.sampled_from([status for status in Status if status is not Status.WRITING])),
                draw(MOMENTS),
                draw(MODELS),
                draw(SETTINGS),
                draw(STATS),
                draw(WORDS),
                draw(WORDS),
                draw(MOMENTS),
                draw(st.booleans()),
                draw(earlier),
                draw(st.none() | st.just(9)) if ids else None,
            )
        )
    summaries = (
        [Summary(9, 3, draw(st.sampled_from(ids)), draw(WORDS), draw(WORDS), draw(MOMENTS))] if ids else []
    )
    chat = Chat(
        3,
        draw(WORDS),
        draw(st.sampled_from(ids)) if ids else None,
        draw(WORDS),
        draw(WORDS),
        draw(WORDS),
        draw(st.booleans()),
        draw(MOMENTS),
        draw(MOMENTS),
        draw(st.none() | st.sampled_from(Policy)),
        draw(st.none() | st.integers(256, 10**6)),
        archived=draw(st.booleans()),
        tags=tuple(sorted(draw(st.sets(st.sampled_from(["火", "work", "a b"]))))),
    )
    probabilities = {number: tuple(draw(TOKENS)) for number in ids if draw(st.integers(0, 3)) == 0}
    folder = draw(st.sampled_from(["", "Recipes", "食谱"]))
    return WholeChat(chat, tuple(messages), tuple(summaries), folder, probabilities)


def renumbered(whole: WholeChat) -> WholeChat:
    """Return the same with ids that count from 1 on: two chats are equal when these are."""
    new: dict[int | None, int | None] = {None: None}
    new |= {message.id: number for number, message in enumerate(whole.messages, 1)}
    told: dict[int | None, int] = {summary.id: number for number, summary in enumerate(whole.summaries, 1)}
    return WholeChat(
        replace(whole.chat, id=1, tip_id=new[whole.chat.tip_id]),
        tuple(
            replace(
                message,
                id=new[message.id],
                chat_id=1,
                parent_id=new[message.parent_id],
                seen_from=new[message.seen_from],
                summary_id=told.get(message.summary_id),
            )
            for message in whole.messages
        ),
        tuple(
            replace(summary, id=told[summary.id], chat_id=1, until_id=new[summary.until_id])
            for summary in whole.summaries
        ),
        whole.folder,
        {new[message_id]: chosen for message_id, chosen in whole.probabilities.items()},
    )
