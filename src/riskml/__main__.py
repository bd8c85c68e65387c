"""`python -m riskml` is the command `riskml`."""

from riskml.cli import main

main()
