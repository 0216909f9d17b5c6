"""The rehearsal of monitoring: faults are planted in real processes, and it is measured
how soon they are found and taken back (docs/ALERTS.md)."""
