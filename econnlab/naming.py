"""Headers by which a request is known, in lower case."""

#: The lab's own clients name their requests in it.
OWN = b"x-econnlab-request"
#: On every hop that a request takes: proxies hand them on.
ON_EVERY_HOP = (OWN, b"x-request-id", b"x-correlation-id", b"x-amzn-trace-id", b"traceparent")
#: On every attempt of one request, the first that is there counts. Those of a trace are left out: it spans
#: many requests. Idempotency-Key: draft-ietf-httpapi-idempotency-key-header; with X-, as Go's net/http knows
#: it as well (transport.go, isReplayable).
ON_EVERY_ATTEMPT = (OWN, b"idempotency-key", b"x-idempotency-key", b"x-request-id")
#: Those of them that ask the server to carry the request out once, however often it comes.
KEYS = (b"idempotency-key", b"x-idempotency-key")
