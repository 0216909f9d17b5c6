"""From examples to token sequences with a loss mask."""
