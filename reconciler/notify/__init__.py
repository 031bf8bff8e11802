"""Who is told what: a pure decision, and the channels that carry it."""

from reconciler.notify.decide import Condition, Message, Told, decide
from reconciler.notify.ping import Round

__all__ = ["Condition", "Message", "Round", "Told", "decide"]
