"""Outcomes: which assessments a model learns from, and what came after each."""
