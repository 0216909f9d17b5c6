"""Rows → examples, by the task's fields."""
