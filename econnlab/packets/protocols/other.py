"""Protocols that are not read: their connections are counted, and of their bytes only the turns are kept."""

from __future__ import annotations

from econnlab.packets.conversation import Answer, Conversation, Exchange, Protocol

#: How servers greet, and what they then speak.
_GREETINGS = (
    (b"SSH-", "SSH"),
    (b"220 ", "FTP or SMTP"),
    (b"220-", "FTP or SMTP"),
    (b"+OK", "POP3"),
    (b"* OK", "IMAP"),
    (b"RFB ", "VNC"),
    (b"\x00\x00\x00", "an unknown protocol"),
)
_PORTS = {
    20: "FTP data", 21: "FTP", 22: "SSH", 23: "Telnet", 25: "SMTP", 53: "DNS", 110: "POP3", 143: "IMAP",
    179: "BGP", 389: "LDAP", 445: "SMB", 554: "RTSP", 587: "SMTP", 1883: "MQTT", 2181: "ZooKeeper",
    3128: "a proxy's protocol", 5060: "SIP", 5672: "AMQP", 9042: "Cassandra", 9092: "Kafka",
    11211: "memcached", 27017: "MongoDB",
}  # fmt: skip


def begin(conversation: Conversation, name: str = "") -> None:
    """Count ``conversation`` and read no more of it than when each side spoke."""
    conversation.protocol = Protocol.OTHER
    conversation.name = name or _named(conversation)
    conversation.client.parse, conversation.server.parse = asked, answered


def _named(conversation: Conversation) -> str:
    for greeting, name in _GREETINGS:
        if conversation.unasked.startswith(greeting):
            if name == "FTP or SMTP":
                return "FTP" if b"FTP" in conversation.unasked[:200].upper() else "SMTP"
            return name
    port = int.from_bytes(conversation.server.address[-2:], "big")
    return _PORTS.get(port, "an unknown protocol")


def asked(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the client: of a new turn if the server has spoken since."""
    exchange = conversation.exchange
    if exchange is None or exchange.response_at:
        if conversation.open:
            conversation.finish(conversation.open[0], Answer.UNSURE)
        exchange = conversation.ask(at, size)
        exchange.request = payload[:256]
    exchange.request_bytes += size
    exchange.request_last_at = at


def answered(conversation: Conversation, at: int, size: int, payload: bytes) -> None:
    """New bytes of the server."""
    exchange = conversation.exchange
    if exchange is None:
        conversation.unasked_bytes += size
        conversation.unasked = conversation.unasked or payload[:256]
        return
    _continue(conversation, exchange, at, size)


def _continue(conversation: Conversation, exchange: Exchange, at: int, size: int) -> None:
    if not exchange.response_at:
        conversation.answer_begins(exchange, at)
        conversation.finish(exchange, Answer.UNSURE)
    exchange.response_bytes += size
    exchange.response_last_at = at
