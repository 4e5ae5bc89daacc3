"""httpx and httpcore, imported without what darkai never uses of them.

httpx imports its own command line if ``click`` is installed, which uvicorn, mcp and others bring
along: ``import httpx`` then takes 338 ms of CPU time in place of 93. httpcore imports ``h2``, for
HTTP/2, if that is installed: 20 ms. An import that finds None in ``sys.modules`` fails, as if the
package were not installed. ``benchmarks/startup.py`` has a row for it. All of ``http/`` imports
httpx and httpcore from here.
"""

from __future__ import annotations

import sys

_UNUSED = {"httpx._main", "h2"}.difference(sys.modules)

for _name in _UNUSED:
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    import httpcore
    import httpx
finally:
    for _name in _UNUSED:
        del sys.modules[_name]

__all__ = ["httpcore", "httpx"]
