"""Human evaluation: blind sheets for raters, and statistics of their responses."""
