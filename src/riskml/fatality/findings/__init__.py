"""What coded reviews hold, counted: n/N with exact intervals, and bounds for what is unknown."""
