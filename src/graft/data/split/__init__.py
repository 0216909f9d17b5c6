"""Training, validation and test splits, and leakage between them."""
