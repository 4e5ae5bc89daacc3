"""darkai: a command-line chat client, and its Python API.

Public names are loaded on first use (PEP 562), so that ``darkai --version`` and every command pay
only for what they need.
"""

from __future__ import annotations

__version__ = "0.1.0"
