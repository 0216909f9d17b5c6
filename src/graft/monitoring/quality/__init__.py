"""Quality in production: ratings, refusals, repetition, lengths, online metrics."""
