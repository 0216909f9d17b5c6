"""What people decide about quarantined rows, and the rows as they see them."""
