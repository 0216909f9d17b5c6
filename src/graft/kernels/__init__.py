"""Kernels of decoder layers: `cuda` in Triton, and `plain` with the same functions."""
