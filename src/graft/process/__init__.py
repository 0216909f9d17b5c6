"""Start and end of a graft process; imports only `graft.errors`."""
