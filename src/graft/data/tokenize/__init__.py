"""Examples → token sequences with a loss mask."""
