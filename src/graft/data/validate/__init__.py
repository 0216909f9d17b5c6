"""The checks that examples must pass before anything is trained on them."""
