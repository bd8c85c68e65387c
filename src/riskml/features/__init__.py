"""Features: their catalogue, the conditions in it, and the sweep that computes them on both clocks."""
