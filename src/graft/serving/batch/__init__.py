"""Batch inference: a file of prompts in, a file of completions out."""
