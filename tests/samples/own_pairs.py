"""A user's file as in README's section "Your own data in five minutes"."""

import csv
from pathlib import Path


def write_pairs(path: Path) -> None:
    """Write a CSV of 400 different sentences with the columns english and french."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["english", "french"])
        for i in range(400):
            english = f"The cat number {i * 7} sleeps near house {i * 13}."
            french = f"Le chat numéro {i * 7} dort près de la maison {i * 13}."
            table.writerow([english, french])
