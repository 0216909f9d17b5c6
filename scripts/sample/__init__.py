"""An English-French grammar in miniature: it writes the sample data of graft."""
