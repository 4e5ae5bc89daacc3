"""``darkai doctor``: what is wrong here, and what to type next.

``checks`` is what a check is, ``running`` runs them side by side within a time limit, ``examining``
decides which there are. The checks themselves are in ``machine`` (Python, terminal), ``places``
(configuration, folders), ``stores`` (history, rate limits), ``network`` (proxies, certificates,
clock) and ``services`` (one provider, step by step). ``report`` takes out what is private.
"""
