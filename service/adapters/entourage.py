"""Our own events, signed as Standard Webhooks says."""

from __future__ import annotations

from typing import Any

from service.adapters import Adapter, Event
from service.domain import OWN_PLATFORM


class Entourage(Adapter):
    """Events of ours need no reading."""

    name = OWN_PLATFORM
    about = "Events of Entourage, as docs/webhooks.md describes them."
    keeps_unusable = False

    def events(self, item: Any) -> list[Event]:
        """Return the event itself."""
        return [item]


ADAPTER = Entourage()
