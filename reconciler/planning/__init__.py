"""From what is desired and what was observed to a plan: pure, and the only place that decides."""
