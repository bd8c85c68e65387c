"""Second opinions on the open cases: computed from a history, and written beside the registry."""
