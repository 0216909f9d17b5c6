"""`graft watch`: alerts become actions, and analyses run again and again."""
