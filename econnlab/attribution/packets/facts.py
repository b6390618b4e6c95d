"""What packets say of one request that failed, on the connection that reached the server.

Times are seconds since the epoch, spans are seconds. Where the capture holds both sides of a proxy, the facts
are those of the hop behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: A client needs less than this from beginning with a request to writing it.
BLOCKED_S = 0.010
#: A server that closes within this after its own last byte, or after the handshake, did it at once.
AT_ONCE_S = 0.050
#: A server that turns a connection away does so within this, also where it is busy; its timers are longer.
TURNED_AWAY_S = 0.100
#: A FIN that came so long before the request was no surprise to a client that looks.
LONG_BEFORE_S = 0.100
#: No client gives up so soon: one that ends its direction then has only said that it asks no more.
IMPATIENT_S = 0.100
#: Ends of several connections this near to each other may have one reason.
TOGETHER_S = 0.025
#: So many, at least, and this share of all that stood, are a restart rather than chance.
FEWEST_TOGETHER, SHARE_TOGETHER = 3, 0.5
#: Idle times further apart than this, and than this share of the longest, come from no common timer, however
#: late a busy server was to look at it.
SPREAD_S, SPREAD = 0.020, 0.3
#: So much sooner than another survived is sooner, whatever the capture's distance.
SOONER = 0.8
#: A process that dies takes all its connections along within this; refusals much later have other reasons.
SURVIVED_S, SAME_OUTAGE_S = 1.0, 60.0
#: A TTL that differs by as much or more is another machine's: routes change by less.
OTHER_TTL = 2
#: A connection that nothing passed over for so long was idle.
SILENT_S = 0.2
#: A middlebox that answers with its own RST after a shorter pause than this may have other reasons.
FORGETFUL_S = 30.0
#: RSTs in both names so near to each other are forged: no end answers an RST with an RST.
BOTH_NAMES_S = 0.005
#: A server that turned so many connections away has a limit.
FEWEST_TURNED_AWAY = 2
#: Connections that began so near to one that found no room in the listen queue may have found none either.
OVERFLOW_NEAR_S = 2.0
#: A request that waited so many times longer than others were answered in was not served at all.
QUEUED = 10
#: A host that was refused at so many ports of another is looking for open ones.
SCAN_PORTS = 5


class End(StrEnum):
    """How one side ended a connection first."""

    FIN = "FIN"
    #: With ACK: sent for a socket that was there (tcp_send_active_reset()).
    RST = "RST"
    #: Without: no socket was there for the packet it answers (tcp_v4_send_reset()).
    RST_NO_SOCKET = "RST without ACK"


@dataclass(frozen=True)
class Together:
    """Ends of the server's connections around one of them."""

    closed: int
    fins: int
    #: Of these, into a request that the server had and had not answered.
    in_progress: int
    #: Connections that stood just before.
    stood: int
    #: The longest idle time of those that were closed, and how much shorter the shortest was.
    longest_s: float
    spread_s: float
    #: The longest idle time that any connection to the server survived.
    survived_s: float
    #: How far apart the ages were of the requests under way, and the ends.
    ages_spread_s: float
    ends_spread_s: float

    @property
    def unlike_a_timer(self) -> bool:
        """Requests of different ages ended at one time: no timer of a request does that."""
        return self.ages_spread_s > max(SPREAD_S, 2 * self.ends_spread_s)

    @property
    def many(self) -> bool:
        """A good part of all that stood."""
        return self.closed >= max(FEWEST_TOGETHER, SHARE_TOGETHER * self.stood)

    @property
    def like_a_restart(self) -> bool:
        """A good part of all that stood, in progress, or idle for times that no one timer explains.

        No idle timer runs while a request is in progress, and none closes sooner than it let others live.
        Without such others, ends by FIN alone tell: RSTs come of a loop that was blocked, as well, and then
        at any time after the timer was due.
        """
        if not self.many:
            return False
        if self.in_progress >= max(FEWEST_TOGETHER, SHARE_TOGETHER * self.closed):
            return True
        if self.spread_s <= SPREAD_S:
            return False
        if self.longest_s - self.spread_s < SOONER * self.survived_s:
            return True
        return self.fins > self.closed / 2 and self.spread_s > SPREAD * self.longest_s


@dataclass(frozen=True)
class PacketFacts:
    """One failed request, or a connection on which none was sent."""

    #: ``10.0.0.7:8080``
    server: str
    # -- the request
    sent: float | None
    #: The server's kernel has acknowledged all of it; some of it.
    acknowledged: bool
    sent_again: int
    #: Bytes that its head announced and that had not been sent when the answer began, or never were.
    missing: int
    #: How long its sender had begun with it before it wrote, by a header that says so.
    held_s: float | None
    # -- the connection before
    #: Responses that had come on it.
    responses: int
    #: When the server's last byte before the request was seen; its handshake where there was none.
    last_heard: float
    #: What its last response had said.
    advertised_s: int | None
    announced_close: bool
    # -- the server's end
    end: End | None
    ended: float | None
    #: The end acknowledges (part of) the request: it had reached the server's kernel before.
    end_covers: bool
    #: The first byte that the server sent was no answer to what the client speaks.
    tls_client: bool
    tls_server: bool
    plain_server: bool
    #: TTL of the server's data and of its RST, where they differ.
    ttls: tuple[int, int] | None
    #: Identification of the packet before its RST and of that RST, where the second does not fit.
    idents: tuple[int, int] | None
    # -- the client's end
    client_end: End | None
    client_ended: float | None
    # -- the handshake
    syns: int
    #: SYN-ACKs that were sent again although the client had confirmed the first.
    synack_again: int
    answered_handshake: bool
    #: The RST came in place of the handshake's completion: nothing of the connection was ever known.
    refused_at_end: bool
    # -- the response
    #: It began and is not whole.
    cut: bool
    #: That it is not whole only its end says: the last bytes of it were not captured.
    cut_unseen: bool
    #: Bytes came that are not an answer in the protocol of the request.
    invalid: bool
    #: Its bytes, head and body, where its head tells.
    expected: int | None
    received: int
    # -- what was captured of it
    #: From its SYN on.
    from_beginning: bool
    #: The server never sent a byte.
    silent: bool
    #: What it speaks: ``HTTP/1``, ``TLS``.
    protocol: str
    #: Its requests and answers are told apart.
    is_read: bool
    #: The server's FIN was acknowledged; the FIN itself may be missing in the capture.
    fin_acked: bool
    # -- what its protocol says
    #: Both sides have sent their Finished (TLS).
    handshake_done: bool
    #: It is a WebSocket and ended without a close frame.
    cut_websocket: bool
    #: A TLS alert in the clear: ``fatal handshake_failure (40)``.
    alert: str
    alert_by_server: bool
    #: The alert is about the other side's certificate.
    alert_about_certificate: bool
    #: ``RST_STREAM by the server: CANCEL (8)``, ``GOAWAY: NO_ERROR (0)``.
    note: str
    #: The server refused the connection in words: ``Too many connections (1040)``.
    refusal: str
    # -- what the network did
    #: ``host unreachable``, and by whom and how often.
    icmp: str
    icmp_by: str
    #: The largest packet that would pass, if an ICMP error says so; else 0.
    mtu: int
    #: The request, or a part of it, was sent again and again, and never acknowledged.
    in_vain: bool
    #: How long that went on, s.
    in_vain_s: float
    #: RSTs came in both names so near to each other that no end can have sent both.
    both_names: bool
    #: The address whose packet the client answered with RST, as it knew it not.
    stranger: str
    #: The client's RST is that of a host that knew no such connection, and it had not closed it.
    client_forgot: bool
    # -- around it
    together: Together | None
    #: The port refused the next connection, with none accepted in between; it accepted one later.
    refused_next: bool
    accepted_next: bool
    #: Connections that the server turned away, this one included.
    turned_away: int
    #: The server never served more at once than stood beside this one, and served a newcomer when fewer did.
    room_later: bool
    #: Other connections of about this time found no room in the server's listen queue.
    overflow_near: bool
    #: Connections to this server that were closed at once after as many responses as this one.
    same_limit: int
    #: The longest idle time that a connection to this server survived.
    survived_s: float
    #: Connections to the server that stood and had been answered.
    beside: int
    #: The same request was answered on another connection in this time, s; none accepted in the meantime.
    elsewhere_s: float | None
    #: Ports of the server's host at which the client's host was refused.
    refused_ports: int
    #: The proxy or middlebox that took the request and did not pass it on.
    kept_by: str | None = None
    #: The proxy that passed the request on, if both hops were captured.
    through: str | None = None

    @property
    def idle_s(self) -> float:
        """From the server's last byte to its end, or to the request where it did not end it."""
        until = self.ended if self.ended is not None else self.sent
        return max(0.0, (until if until is not None else self.last_heard) - self.last_heard)

    @property
    def died(self) -> bool:
        """The connection ended, and from then on the port refused."""
        return self.end is not None and self.refused_next

    @property
    def retired(self) -> bool:
        """It ended with most of the server's connections, and no idle timer accounts for that."""
        together = self.together
        if self.end is None or self.died or together is None:
            return False
        # No idle timer runs while a request is in progress.
        in_progress = self.end is End.FIN and self.end_covers
        return together.like_a_restart or (together.many and in_progress and together.unlike_a_timer)

    @property
    def at_limit(self) -> bool:
        """Closed at once after a response, as others were after as many."""
        if self.end is None or self.died or self.retired or self.idle_s > AT_ONCE_S:
            return False
        return self.responses > 1 and self.same_limit > 1

    @property
    def broke_its_word(self) -> bool:
        """Closed sooner than it had advertised, or than it had kept others idle."""
        if self.end is None or self.died or self.retired or self.at_limit or not self.responses:
            return False
        promised = self.advertised_s if self.advertised_s is not None else self.survived_s
        return not self.announced_close and self.idle_s < promised / 2

    @property
    def other_machine(self) -> bool:
        """The RST does not look like the packets of the end in whose name it came."""
        odd = self.ttls is not None or self.idents is not None
        resets = (End.RST, End.RST_NO_SOCKET)
        return self.both_names or (odd and (self.end in resets or self.client_end in resets))

    @property
    def crossed(self) -> bool:
        """The server ended the connection before any of the request had reached it."""
        return self.end is not None and not self.end_covers


def client_held_it(facts: PacketFacts) -> bool:
    """By its own header the client had begun with the request, and wrote after the server had closed."""
    held = facts.held_s
    if held is None or held <= BLOCKED_S or facts.sent is None or facts.ended is None:
        return False
    return facts.sent - held < facts.ended < facts.sent


def turned_away(facts: PacketFacts) -> bool:
    """A new connection that the server ended at once, without a byte, as it did others, while some stood."""
    if not facts.from_beginning or not facts.silent or facts.responses or facts.refused_at_end:
        return False
    if facts.end is None or facts.ended is None or not facts.beside:
        return False
    # A server that ends a connection before a byte of it has come refuses it; otherwise one is no limit.
    unheard = facts.crossed and facts.ended - facts.last_heard <= AT_ONCE_S
    if facts.turned_away < FEWEST_TURNED_AWAY and not unheard and not facts.room_later:
        return False
    sent = facts.sent if facts.sent is not None else facts.last_heard
    return facts.ended - facts.last_heard <= TURNED_AWAY_S or facts.ended - sent <= TURNED_AWAY_S


def left_in_queue(facts: PacketFacts) -> bool:
    """The kernel has a new connection's request, its application never showed, and others were served."""
    if facts.responses or not facts.acknowledged or not facts.beside or facts.elsewhere_s is None:
        return False
    if not facts.from_beginning or not facts.silent or facts.turned_away < FEWEST_TURNED_AWAY:
        return False
    if facts.sent is None or facts.client_ended is None or facts.kept_by is not None:
        return False
    return facts.client_ended - facts.sent > QUEUED * facts.elsewhere_s


def gave_up(facts: PacketFacts) -> bool:
    """The client ended the connection after having waited for an answer."""
    if facts.sent is None or facts.client_ended is None or facts.client_end is None:
        return False
    return facts.client_end is not End.FIN or facts.client_ended - facts.sent > IMPATIENT_S
