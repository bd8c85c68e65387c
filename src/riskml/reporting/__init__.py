"""Self-contained HTML reports, in Spanish by default and in English on request."""
