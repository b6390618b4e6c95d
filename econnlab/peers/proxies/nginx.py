"""nginx, with a pool of connections to the server (ngx_http_upstream_module, keepalive)."""

from econnlab.peers.proxying import Proxying

NAME = "nginx"
HELP = "nginx with upstream keepalive"
PROGRAM = "nginx"
PACKAGE = "nginx-light"

# One process in the foreground, and every file in a folder of the run's own, so that it needs no root.
_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream lab {{
        server 127.0.0.1:{upstream_port} max_fails=0;
        keepalive 64;
        keepalive_timeout {idle_timeout_ms}ms;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://lab;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


def command(program: str, proxying: Proxying) -> list[str]:
    """The words that start it."""
    file = proxying.configured("nginx.conf", _CONFIGURATION)
    return [program, "-p", str(proxying.folder), "-e", "stderr", "-c", file]
