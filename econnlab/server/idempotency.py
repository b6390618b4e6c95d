"""Idempotency keys: a repeated request is answered without carrying it out again."""

from collections import OrderedDict

import h11

#: draft-ietf-httpapi-idempotency-key-header
HEADER = b"idempotency-key"
#: Keys remembered; the oldest are forgotten first, as a real store forgets after hours or days.
MOST_KEYS = 100_000


class Carried:
    """The keys of what this server process has carried out."""

    def __init__(self) -> None:
        self._keys: OrderedDict[bytes, None] = OrderedDict()

    def before(self, request: h11.Request) -> bool:
        """Whether a request with the same method, target and key came before; remembers this one."""
        key = next((value for name, value in request.headers if name == HEADER), None)
        if key is None:
            return False
        whole = b" ".join((request.method, request.target, key))
        known = whole in self._keys
        self._keys[whole] = None
        self._keys.move_to_end(whole)
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return known
