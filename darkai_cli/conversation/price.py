"""What a reply cost: its tokens by the prices that the service lists for the model.

Only where a service tells both: nothing is guessed, and no price is built in. Prices are US dollars
for a million tokens; what was read from a cache of the service's is counted at the full price, so
that the true cost may be lower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkai_cli.events import Usage
    from darkai_cli.providers.base import ModelInfo

_MILLION = 1_000_000


def cost(usage: Usage | None, model: ModelInfo | None) -> float | None:
    """US dollars; None where the tokens or the prices are not known."""
    if usage is None or model is None or model.price_in is None or model.price_out is None:
        return None
    if usage.input is None or usage.output is None:
        return None
    return (usage.input * model.price_in + usage.output * model.price_out) / _MILLION


def shown(dollars: float) -> str:
    """An amount in as many digits as say something: ``$0.0042``, ``$1.30``, ``free``."""
    if dollars == 0:
        return "free"
    if dollars >= 1:
        return f"${dollars:,.2f}"
    if dollars < 0.0001:
        return "under $0.0001"
    return f"${dollars:.4f}"
