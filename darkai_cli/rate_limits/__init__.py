"""Count the requests to each service, and say when the next one may be sent.

``rates`` is the arithmetic, ``store`` the database of requests and holds that all processes of the
user share, and ``gate`` what a request passes through. Nothing here waits or shows anything.
"""
