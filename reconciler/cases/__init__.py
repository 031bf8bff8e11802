"""Test cases of a policy repository: scenes that are planned, and what is expected of them."""
