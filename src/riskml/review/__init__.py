"""What reviewers see: training runs and model versions in MLflow."""
