"""Training: from a history, or from anyone's feature frame, to a calibrated model and its report."""
