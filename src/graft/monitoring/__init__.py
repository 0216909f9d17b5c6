"""What is measured and recorded while a version serves, and what follows from it."""
