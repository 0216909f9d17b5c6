"""Labelled text with made-up personal data, to measure how well they are found."""
