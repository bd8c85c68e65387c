"""A simulated registry with its truth.

People, violence, recording, responses and faults, all of it synthetic.
"""
