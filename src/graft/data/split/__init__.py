"""Training, validation and test splits, and what leaks between them."""
