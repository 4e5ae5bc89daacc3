import os, signal, sys
from support.server import *
from support.talk import *
from support.scenario import start_in_pty


def test_x():
    out = "/tmp/lab/chatin/tm.out"
    open(out, "w").close()
    turns = 80
    replies = [reply([f"answer {number} ", "with some *text* in it"]) for number in range(turns)]
    with FaultServer(*replies) as server:
        with start_in_pty(
            "chat",
            env={"DARKAI_URL": server.url, "TM_OUT": out},
            command=(sys.executable, "/tmp/lab/chatin/tm_main.py"),
            timeout=60,
        ) as run:
            chat = Chat(run)
            chat.input()
            for n in range(turns):
                chat.type(f"question {n}\r")
                chat.until(f"answer {n} with some")
                chat.input()
                if n in (20, 70):
                    k = open(out).read().count("total")
                    run.signal(signal.SIGUSR1)
                    poll(lambda: open(out).read().count("total") > k)
