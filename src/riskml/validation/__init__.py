"""Validation: how good predictions are, and how surely that is known."""
