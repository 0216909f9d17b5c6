"""Engines that process batches: threads of this process, or a Ray cluster."""
