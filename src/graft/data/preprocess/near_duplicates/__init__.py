"""Near-duplicates over all batches of a source, by MinHash with banding.

1. `to_keys` computes a few 64-bit keys per row of a batch, on any machine.
2. `to_pairs` finds candidate pairs from one band's keys of all rows.
3. `to_sets` and `are_near` compare those pairs exactly.
4. `to_clusters` chooses the rows to keep, `merge_groups` the groups to merge.

Sources: Broder 1997 (shingles, MinHash); Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, chapter 3 (bands).
"""
