"""The configuration: which units there are, how to reach them, and the limits over all policies."""
