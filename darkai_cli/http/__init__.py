"""HTTP: requests out, response bytes into frames. The only package that imports httpx."""
