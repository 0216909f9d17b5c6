"""From the fields of rows to examples."""
