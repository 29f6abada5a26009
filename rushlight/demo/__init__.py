"""What ``rushlight demo`` runs: a small network learns to read handwritten digits."""
