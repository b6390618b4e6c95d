"""Which connections of a capture are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from econnlab.attribution.packets.servers import Life

if TYPE_CHECKING:
    from econnlab.attribution.packets.cases import PacketCase
    from econnlab.packets.conversation import Conversation

_NS = 1_000_000_000


@dataclass(frozen=True)
class Wanted:
    """Filters: None lets everything pass."""

    #: An address of 4 or 16 bytes, of either side.
    host: bytes | None = None
    #: Of either side.
    port: int | None = None
    #: Seconds since the epoch: what failed, or stood, in between.
    since: float | None = None
    until: float | None = None

    def case(self, case: PacketCase) -> bool:
        """A failure."""
        at = case.attempt.sent if case.attempt.sent is not None else case.conversation.began / _NS
        ends = case.conversation.client.address, case.conversation.server.address
        return self._ends(*ends) and self._within(at, at)

    def conversation(self, conversation: Conversation) -> bool:
        """A connection."""
        within = self._within(conversation.began / _NS, conversation.last / _NS)
        return within and self._ends(conversation.client.address, conversation.server.address)

    def life(self, life: Life, server: bytes) -> bool:
        """A connection to ``server``."""
        return self._within(life.began, life.ended) and self._ends(life.client, server)

    def refusal(self, at: int, client: bytes, server: bytes) -> bool:
        """A connection that was refused."""
        return self._within(at / _NS, at / _NS) and self._ends(client, server)

    def _ends(self, client: bytes, server: bytes) -> bool:
        hosts, ports = (client[:-2], server[:-2]), (client[-2:], server[-2:])
        of_host = self.host is None or self.host in hosts
        return of_host and (self.port is None or self.port.to_bytes(2, "big") in ports)

    def _within(self, began: float, ended: float) -> bool:
        early = self.since is not None and ended < self.since
        return not early and (self.until is None or began <= self.until)


EVERYTHING = Wanted()
