"""The jokes of the demo provider, all of our own writing, and the choice among them.

A seed made from the prompt picks the place to start, and jokes that the conversation already holds
are passed over, so that the choice is never random. A joke keeps its number for good: new ones go
to the end.
"""

from __future__ import annotations

import zlib
from typing import Literal, NamedTuple

Topic = Literal["terminal", "pipes", "network", "programming", "darkai", "life"]


class Joke(NamedTuple):
    """One joke, as Markdown."""

    topic: Topic
    text: str


JOKES: tuple[Joke, ...] = (
    Joke(
        "terminal",
        "Why did the terminal go to therapy?\n\nEach time it opened up, somebody typed `clear`.",
    ),
    Joke(
        "pipes",
        "`xargs` was asked to carry one bag in from the car.\n\n"
        "It came back with all of them, in one trip.",
    ),
    Joke("network", "Two proxies met for lunch.\n\nEach of them sent somebody."),
    Joke(
        "programming",
        "A comment and a function grew up together.\n\nThen the function changed.",
    ),
    Joke(
        "life",
        "My houseplants and I have a deal: I forget to water them, and they pretend to be "
        "cactuses.",
    ),
    Joke(
        "terminal",
        "My shell's prompt ends in a dollar sign. I have answered it for years now, "
        "and have yet to be paid.",
    ),
    Joke(
        "pipes",
        "Why is a pipe such a poor diary?\n\nIt passes everything on and remembers nothing.",
    ),
    Joke(
        "network",
        "The ping was back after four seconds.\n\nIt said that it had to look for parking.",
    ),
    Joke(
        "programming",
        "Our estimate was two weeks. It was an excellent estimate: we have used it six times.",
    ),
    Joke(
        "life",
        "My umbrella has never once been rained on.\n\nIt sees to that by staying on the train.",
    ),
    Joke(
        "terminal",
        "Why do shells tell the best stories?\n\n"
        "Press the up arrow, and they tell them all over again.",
    ),
    Joke(
        "pipes",
        "`head` and `tail` joined a book club.\n\n"
        "`head` left after ten lines. `tail` sits at the last page, in case there is a sequel.",
    ),
    Joke(
        "network",
        "The certificate and I went out for our anniversary.\n\nIt expired during dessert.",
    ),
    Joke(
        "programming",
        "I wrote a program that says sorry for its mistakes.\n\n"
        "Now it has two bugs and very good manners.",
    ),
    Joke(
        "life",
        "A penguin walks into a server room and says: at last, somebody who understands heating.",
    ),
    Joke(
        "terminal",
        "I asked the manual about the meaning of life.\n\nIt said: see also.",
    ),
    Joke(
        "pipes",
        "`grep` is a loyal friend. It listens to all you say and repeats only the part that you "
        "wanted to hear.",
    ),
    Joke(
        "network",
        "The load balancer broke up with the server.\n\n"
        "It said: it is not you. It is everybody, in turn.",
    ),
    Joke(
        "programming",
        "I gave my program a random seed and forgot to water it.\n\n"
        "It grew up perfectly deterministic.",
    ),
    Joke(
        "life",
        "My cat lay down on the keyboard, and the code still compiled.\n\n"
        "She has asked for commit access.",
    ),
    Joke(
        "terminal",
        "A progress bar came to 99 % and stopped to enjoy the view.",
    ),
    Joke(
        "pipes",
        "`sort` and `uniq` went to a party.\n\n`uniq` insisted on going in second.",
    ),
    Joke(
        "network",
        "Why did the handshake take so long?\n\nBoth sides wanted to have the last ACK.",
    ),
    Joke(
        "programming",
        "The merge conflict was settled in peace.\n\n"
        "Both sides agreed that it was the third developer's fault.",
    ),
    Joke(
        "life",
        "I ordered a book about patience. It should be here at some point.",
    ),
    Joke(
        "terminal",
        "My list of aliases has grown so long that I made an alias for looking them up.\n\n"
        "If only I knew what I called it.",
    ),
    Joke(
        "pipes",
        "`tee` came to a fork in the road.\n\nIt has sent us postcards from both towns since.",
    ),
    Joke(
        "network",
        "My packets travel through a tunnel, encrypted, under a false address.\n\n"
        "They carry a picture of a cat.",
    ),
    Joke(
        "programming",
        "The rubber duck on my desk has resigned. It says that it would have liked to talk, too, "
        "just once.",
    ),
    Joke(
        "life",
        "The meeting about shorter meetings has been extended.",
    ),
    Joke(
        "terminal",
        "Why is a shell never lost?\n\n"
        "Wherever it goes, there is always a `.` to stand on, and `..` is happy to see it.",
    ),
    Joke(
        "pipes",
        "`yes` applied for a job and got it.\n\nNobody has managed to ask it a second question.",
    ),
    Joke(
        "network",
        "A timeout is how computers say: never mind, start without me.",
    ),
    Joke(
        "programming",
        "A boolean went to a fortune teller. The answer was *maybe*, "
        "and it has not been itself since.",
    ),
    Joke("life", "I asked the library for a book about silence.\n\nThey did not say where it was."),
    Joke(
        "terminal",
        "I had a staring contest with my cursor. It blinked first. It blinked second, too.\n\n"
        "I do not know why I feel that I lost.",
    ),
    Joke(
        "pipes",
        "I send all my complaints to `/dev/null`. They are dealt with faster than anywhere else.",
    ),
    Joke(
        "network",
        "I changed my name in the DNS.\n\nHalf of my friends will have heard of it by Thursday.",
    ),
    Joke(
        "programming",
        "My code documents itself. The documentation says: sorry.",
    ),
    Joke(
        "life",
        "The echo has moved out. It said that it never got the first word.",
    ),
    Joke(
        "terminal",
        "I named my scripts `a`, `b` and `c` to save time.\n\n"
        "I have since spent it, finding out which is which.",
    ),
    Joke(
        "pipes",
        "A plumber and an administrator compared their days, and agreed on this: "
        "it is always the pipe that somebody else put in.",
    ),
    Joke(
        "network",
        "I asked a router about its plans in life.\n\nIt said: one hop at a time.",
    ),
    Joke(
        "programming",
        "A recursive function wrapped my present. In the box was a smaller box, in that one a "
        "smaller one.\n\nAt the bottom, thank goodness: a sock. It is always the base case.",
    ),
    Joke(
        "life",
        "What do clouds do when they are tired of computing?\n\nThey go back to rain.",
    ),
    Joke(
        "terminal",
        "A snail walks into a shop and asks for a lighter shell.\n\n"
        "It has been told that start-up time matters.",
    ),
    Joke(
        "pipes",
        "`sleep 8` is the only process on this machine with a healthy way of life.",
    ),
    Joke(
        "network",
        "What did the server say to the client that would not stop asking?\n\n"
        "*429: I like you, too, but slower.*",
    ),
    Joke(
        "programming",
        "The linter found forty problems in a file of thirty lines. "
        "It had a few thoughts on the name of the file as well.",
    ),
    Joke(
        "programming",
        "The garbage collector came by. It had noticed that nobody refers to me any more, "
        "and wondered if I was all right.",
    ),
    Joke(
        "network",
        "Why does `localhost` never go abroad?\n\nNowhere else is the journey home so short.",
    ),
    Joke(
        "pipes",
        "`cat` came along to hold the door for a file that was quite able to walk in by itself.\n\n"
        "Everybody was glad to see it all the same.",
    ),
    Joke(
        "programming",
        "How does a floating-point number say that it is well?\n\n*Fine, give or take.*",
    ),
    Joke(
        "programming",
        "The tests passed at the first try. An investigation is under way.",
    ),
    Joke(
        "terminal",
        "My tab completion believes in me. Whatever I begin, it is sure that I can finish, "
        "in one of forty-one ways.",
    ),
    Joke(
        "darkai",
        "People come to the demo provider for wisdom.\n\n"
        "It has jokes, and a table with three kinds of alignment.",
    ),
    Joke(
        "darkai",
        "Somebody asked the demo provider to explain the universe. It proposed "
        "`echo the universe`.\n\nNobody could find a mistake in it.",
    ),
    Joke(
        "darkai",
        "Why do stdout and stderr live on different floors?\n\n"
        "One has the answers, the other one tells everybody how it felt to get them.",
    ),
)


def numbered(number: int) -> str | None:
    """Return joke ``number``, counted from 1, or None if there is no such joke."""
    return JOKES[number - 1].text if 1 <= number <= len(JOKES) else None


def pick(
    seed: str, *, topic: Topic | None = None, count: int = 1, conversation: str = ""
) -> list[str]:
    """Return ``count`` different jokes, or all there are; equal seeds give equal jokes.

    A joke that is in ``conversation`` comes again only when no other is left.
    """
    jokes = [joke.text for joke in JOKES if topic in (None, joke.topic)]
    start = zlib.crc32(seed.encode("utf-8", "surrogatepass")) % len(jokes)
    rotated = jokes[start:] + jokes[:start]
    fresh = [text for text in rotated if text not in conversation]
    return (fresh + [text for text in rotated if text in conversation])[:count]
