"""The Wisconsin court records as a registry: read, mapped to the contract, and written to a database."""
