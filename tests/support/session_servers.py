"""Servers for sessions.py: each writes what it needs and returns the words that start it, and its port."""

import os
import shutil
import socket
import subprocess
import sys

PYTHON = os.environ.get("ECONNLAB_SESSIONS_PYTHON", sys.executable)


class Ports:
    """Free ports; those handed out are the ones to capture."""

    def __init__(self):
        self.all = set()
        self.first = self.more()

    def more(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.all.add(port)
        return port


def _nginx(folder, ports, listen="", extra=""):
    (folder / "www").mkdir(exist_ok=True)
    (folder / "www" / "index.html").write_text("hello " * 200)
    (folder / "www" / "big").write_bytes(b"x" * 300_000)
    os.chmod(folder, 0o755)
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 10000;
server {{ listen 127.0.0.1:{ports.first} {listen}; root {folder}/www; {extra} }} }}
""")
    return [["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]], ports.first


def nginx(folder, ports):
    return _nginx(folder, ports)


def certificate(folder):
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    return f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;"


def nginx_tls12(folder, ports):
    return _nginx(folder, ports, "ssl http2", certificate(folder) + " ssl_protocols TLSv1.2;")


def nginx_tls13(folder, ports):
    return _nginx(folder, ports, "ssl http2", certificate(folder) + " ssl_protocols TLSv1.3;")


def haproxy(folder, ports):
    words, behind = _nginx(folder, ports)
    ports.first = ports.more()
    (folder / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend f
  bind 127.0.0.1:{ports.first}
  default_backend b
backend b
  server s 127.0.0.1:{behind}
""")
    return [*words, ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]], ports.first


def _script(folder, name, text):
    (folder / name).write_text(text)
    return str(folder / name)


_HTTP = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = sys.argv[2]
    chunked = sys.argv[3] == "chunked"
    def do_GET(self):
        self.send_response(200)
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
            for size in (5, 300, 4000):
                self.wfile.write(b"%x\\r\\n%s\\r\\n" % (size, b"y" * size))
            self.wfile.write(b"0\\r\\n\\r\\n")
        else:
            if self.protocol_version != "HTTP/1.0":
                self.send_header("Content-Length", "2000")
            self.end_headers(); self.wfile.write(b"z" * 2000)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def _python(folder, ports, version, how):
    return [[PYTHON, _script(folder, "http.py_", _HTTP), str(ports.first), version, how]], ports.first


def python_http(folder, ports):
    return _python(folder, ports, "HTTP/1.1", "plain")


def python_http10(folder, ports):
    return _python(folder, ports, "HTTP/1.0", "plain")


def python_chunked(folder, ports):
    return _python(folder, ports, "HTTP/1.1", "chunked")


def node(folder, ports):
    text = """
require('http').createServer((q, r) => { q.resume(); q.on('end', () => r.end('n'.repeat(3000))) })
  .listen(+process.argv[2], '127.0.0.1')
"""
    return [["node", _script(folder, "server.cjs", text), str(ports.first)]], ports.first


def node_h2c(folder, ports):
    text = """
require('http2').createServer((q, r) => { q.resume(); q.on('end', () => r.end('n'.repeat(3000))) })
  .listen(+process.argv[2], '127.0.0.1')
"""
    return [["node", _script(folder, "server.cjs", text), str(ports.first)]], ports.first


def nghttpd(folder, ports):
    (folder / "index.html").write_text("hello " * 300)
    return [["nghttpd", "--no-tls", "-d", str(folder), str(ports.first)]], ports.first


def uvicorn(folder, ports):
    _script(
        folder,
        "app.py",
        """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})
""",
    )
    words = ["-m", "uvicorn", "app:app", "--port", str(ports.first), "--log-level", "warning"]
    return [[sys.executable, *words]], ports.first


def gunicorn(folder, ports):
    _script(
        folder,
        "app.py",
        """
def app(environ, start):
    environ["wsgi.input"].read()
    start("200 OK", [("Content-Length", "5")])
    return [b"hello"]
""",
    )
    return [[sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{ports.first}", "app:app"]], ports.first


def websocket(folder, ports):
    text = """
import asyncio, sys, websockets.asyncio.server as s
async def echo(ws):
    async for message in ws:
        await ws.send(message)
        if message == "end":
            break
async def main():
    async with s.serve(echo, "127.0.0.1", int(sys.argv[1])): await asyncio.Future()
asyncio.run(main())
"""
    return [[PYTHON, _script(folder, "ws.py_", text), str(ports.first)]], ports.first


def postgres(folder, ports):
    data = folder / "data"
    if shutil.which("initdb") is None:
        return [["initdb"]], ports.first
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    as_user = []
    if not os.geteuid():
        shutil.chown(data, "nobody")
        as_user = ["setpriv", "--reuid", "65534", "--clear-groups", "--"]
        for parent in (folder, folder.parent, folder.parent.parent):
            os.chmod(parent, 0o755)
    words = ["initdb", "-D", str(data), "-A", "trust", "-U", "lab", "-N"]
    subprocess.run([*as_user, *words], check=True, capture_output=True)
    options = f"-c port={ports.first} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    return [[*as_user, "postgres", "-D", str(data), *options.split()]], ports.first


def mysql(folder, ports):
    data = folder / "mysql"
    program = shutil.which("mariadbd") or "mariadbd"
    base = os.environ.get("ECONNLAB_SESSIONS_MYSQL", "/usr")
    common = [
        f"--datadir={data}",
        f"--lc-messages-dir={base}/share/mysql",
        "--user=root",
        "--skip-grant-tables",
    ]
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    more = [f"--socket={folder}/my.sock", f"--pid-file={folder}/my.pid", "--skip-networking=0"]
    words = [program, "--no-defaults", *common, *more, "--bind-address=127.0.0.1", f"--port={ports.first}"]
    return [[*words, "--innodb-buffer-pool-size=8M"]], ports.first


def redis(folder, ports):
    return [["redis-server", "--port", str(ports.first), "--save", "", "--dir", str(folder)]], ports.first


def smtp(folder, ports):
    words = ["-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{ports.first}", "-c", "aiosmtpd.handlers.Sink"]
    return [[PYTHON, *words]], ports.first


def ftp(folder, ports):
    passive = ports.more()
    text = f"""
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous({str(folder)!r}, perm="elradfmw")
FTPHandler.passive_ports = [{passive}]
FTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler).serve_forever()
"""
    (folder / "file").write_bytes(b"f" * 20_000)
    return [[PYTHON, _script(folder, "ftp.py_", text), str(ports.first)]], ports.first


def sshd(folder, ports):
    text = """
import asyncio, asyncssh, sys
async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    class Open(asyncssh.SSHServer):
        def begin_auth(self, username): return False
    async def session(process):
        process.stdout.write("s" * 5000); process.exit(0)
    await asyncssh.create_server(
        Open, "127.0.0.1", int(sys.argv[1]), server_host_keys=[key], process_factory=session)
    await asyncio.Future()
asyncio.run(main())
"""
    return [[PYTHON, _script(folder, "ssh.py_", text), str(ports.first)]], ports.first
