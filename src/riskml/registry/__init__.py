"""The registry: its contract, the connection to it, and the immutable history taken from it."""
