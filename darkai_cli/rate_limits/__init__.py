"""Politeness: how many requests went to each service, and when the next one may go.

``slots`` is the arithmetic, ``ledger`` the database of requests that all processes of the user
share, ``holds`` the times until which a service asked for silence, ``hints`` what its response
headers say, and ``gate`` what a request passes through. Nothing here shows or waits.
"""
