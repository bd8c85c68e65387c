"""What is trained: model files, splits, encodings, learners, calibrators, and the bundle that holds them."""
