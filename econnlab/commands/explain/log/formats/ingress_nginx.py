"""The default log-format-upstream of the Kubernetes ingress-nginx controller."""

from __future__ import annotations

from econnlab.commands.explain.log.access import Format
from econnlab.commands.explain.log.directive import by_directive

NAME = "ingress-nginx"
HELP = "the Kubernetes ingress-nginx controller's default"

#: kubernetes.github.io/ingress-nginx, user-guide/nginx-configuration/log-format
_FORMAT = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" $request_length $request_time [$proxy_upstream_name] '
    "[$proxy_alternative_upstream_name] "
    "$upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"
)


def reader() -> Format:
    """The format."""
    return by_directive(_FORMAT, NAME)
