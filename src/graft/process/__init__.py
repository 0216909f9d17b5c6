"""How a process of graft starts and ends; imports nothing but errors."""
