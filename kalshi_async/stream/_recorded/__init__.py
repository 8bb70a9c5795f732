"""Recordings of streams: writing them, reading them, playing them."""
