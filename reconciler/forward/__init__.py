"""A policy run forward on time: what is taken, kept and deleted when, by the rules of a pass."""
