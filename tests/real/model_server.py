"""llama.cpp's own HTTP server, with one slot: one request is answered at a time.

    python model_server.py MODEL.gguf NAME KEY

Run by the Python of the counterpart's own environment, which has ``xllamacpp``. It prints its
address, and stops when its standard input ends. One thread: two of them on two busy cores wait for
each other, and are a hundred times slower.
"""

import sys

import xllamacpp


def main() -> None:
    model, name, key = sys.argv[1:]
    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.model_alias = {name}
    settings.api_keys = [key]
    settings.n_ctx = 16384
    settings.n_parallel = 1
    settings.cpuparams.n_threads = 1
    settings.cpuparams_batch.n_threads = 1
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.verbosity = 0
    settings.warmup = False
    settings.fit_params = False
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
