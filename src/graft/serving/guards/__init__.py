"""Output guards: what is removed from answers before a client sees them."""
