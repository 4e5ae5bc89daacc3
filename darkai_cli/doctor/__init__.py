"""``darkai doctor``: checks what darkai needs, and says what to do about each problem.

``run`` chooses the checks and runs them side by side within a time limit. The checks are in
``system`` (Python, packages, terminal), ``files`` (configuration, folders, history, rate limits),
``network`` (proxies, certificates, local servers) and ``provider``. ``report`` prints them without
anything private.
"""
