"""The wire: bytes into frames, and the transport that carries them."""
