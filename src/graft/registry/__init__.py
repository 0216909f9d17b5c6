"""What decides which version is served: gate, decisions, lineage, certificate."""
