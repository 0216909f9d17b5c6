"""Human judgement: blind sheets for raters, and what their answers say."""
