"""The fatality review: closed femicides and attempts coded, counted, compared, replayed.

`form` says what is coded and `reviews` holds it. Around them, each a room of its own: `coding` (from a filled
form to reviews), `findings` (what they hold), `comparison` (with the living), `patterns` (critical ones) and
`replay` (what would have been said). `simulated` makes up reviews of a synthetic registry.
"""
