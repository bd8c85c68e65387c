"""How Hypothesis searches: the same examples for everyone by default, new ones with `make fuzz`.

A run that fails for one person must fail for the next; the search for new counterexamples is its own run.
"""

from hypothesis import settings

settings.register_profile("same_for_all", derandomize=True, deadline=None)
settings.register_profile("fuzz", derandomize=False, deadline=None, max_examples=500, print_blob=True)
settings.load_profile("same_for_all")
