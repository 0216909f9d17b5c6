"""Where batches are worked on: threads of this process, or a Ray cluster."""
