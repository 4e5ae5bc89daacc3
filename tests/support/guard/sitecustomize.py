"""Loaded by every Python that a test starts: an offline machine, and a witness of what happens in it.

Audit hooks only, so that no module is imported that the program itself did not ask for. Every name
but loopback's is unknown, every other address unreachable, and no model server runs at its usual
port, whatever the developer's machine has there. Variables that turn on more:

``GUARD_MODULES=FILE``  write the names in ``sys.modules``, one a line, at the first byte sent
                        (first column ``sent``) and at the exit (``exit``)
``GUARD_PEAK=FILE``     write the peak resident memory in KiB at the exit (Linux)
"""

import os
import sys

_MODEL_SERVERS = (11434, 8080, 1234, 8000, 1337)


def _text(host):
    return host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host


def _is_numeric(host):
    return ":" in host or host.replace(".", "").isdigit()


def _is_local(host):
    return host in (None, "", "localhost", "::1") or (
        host.endswith(".localhost") or (host.startswith("127.") and _is_numeric(host))
    )


def _offline(event, args):
    if event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and not _is_local(_text(address[0])):
            raise OSError(101, "Network is unreachable")
        if isinstance(address, tuple) and address[1] in _MODEL_SERVERS:
            raise ConnectionRefusedError(111, "Connection refused")
    elif event == "socket.getaddrinfo":
        host = _text(args[0])
        if not _is_local(host) and not _is_numeric(host):
            raise sys.modules["_socket"].gaierror(-2, "Name or service not known")


def _witness_modules(path):
    def write(when):
        names = sorted(sys.modules)
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 -- nothing is imported here
            file.writelines(f"{when} {name}\n" for name in names)

    waiting = [True]

    def on_send(real):
        def sending(self, *args):
            if waiting:
                waiting.clear()
                write("sent")
            return real(self, *args)

        return sending

    def on_connect(event, args):
        if event == "socket.connect":
            cls = sys.modules["socket"].socket
            if "send" not in vars(cls):
                cls.send = on_send(cls.send)
                cls.sendall = on_send(cls.sendall)

    sys.addaudithook(on_connect)
    _at_exit(lambda: write("exit"))


def _witness_peak(path):
    def write():
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 -- likewise
            peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
        with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 -- likewise
            file.write(peak)

    _at_exit(write)


def _at_exit(function):
    import atexit

    atexit.register(function)


sys.addaudithook(_offline)
if path := os.environ.pop("GUARD_MODULES", ""):
    _witness_modules(path)
if path := os.environ.pop("GUARD_PEAK", ""):
    _witness_peak(path)
