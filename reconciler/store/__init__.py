"""What outlives a pass, in a database: the memory of each unit and the credential latch.

SQLAlchemy Core throughout, so that another database can take SQLite's place; what is SQLite's own
stands in `engine`.
"""

from reconciler.store.store import Store, open_store

__all__ = ["Store", "open_store"]
