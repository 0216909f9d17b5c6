"""Generation of completions, likelihoods and latencies by base and tuned models."""
