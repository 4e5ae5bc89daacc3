"""httpx and httpcore, imported without what darkai never uses of them.

httpx imports its own command line whenever ``click`` is installed, which uvicorn, mcp and others
bring along: 245 ms. httpcore imports ``h2``, for HTTP/2, wherever that is installed: 20 ms. An
import that finds None in ``sys.modules`` fails, as it does where the package is not installed. The
benchmark ``benchmarks/startup.py`` measures both. All of ``http/`` imports the two from here.
"""

from __future__ import annotations

import sys

_UNUSED = [name for name in ("httpx._main", "h2") if name not in sys.modules]

for _name in _UNUSED:
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    import httpcore
    import httpx
finally:
    for _name in _UNUSED:
        del sys.modules[_name]

__all__ = ["httpcore", "httpx"]
