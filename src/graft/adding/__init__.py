"""Data of one's own: where they lie, what they hold, and the configuration of both."""
