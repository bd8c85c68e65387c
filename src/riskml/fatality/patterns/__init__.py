"""Critical patterns: searched, judged without each case, and decided by people."""
