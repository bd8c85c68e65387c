"""riskml: risk prediction and fatality review for a registry of domestic-violence aggressors."""
