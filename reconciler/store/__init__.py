"""What outlives a pass, in a database: memory, latch, audit trail, run history, orders.

SQLAlchemy Core throughout, so that another database can take SQLite's place; what is SQLite's own
stands in `engine`.
"""

from reconciler.store.history import RunRecord
from reconciler.store.records import Wanted
from reconciler.store.store import Store, open_store

__all__ = ["RunRecord", "Store", "Wanted", "open_store"]
