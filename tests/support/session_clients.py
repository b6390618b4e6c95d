"""Clients for sessions.py: language and text of each. PORT, ROUNDS and FOLDER are in the environment."""

_HEAD = """
import http.client, os, socket, ssl, time
port, rounds, folder = int(os.environ["PORT"]), int(os.environ["ROUNDS"]), os.environ["FOLDER"]
def get(c, path="/", method="GET", body=None, headers={}):
    c.request(method, path, body, headers); r = c.getresponse(); r.read(); return r
"""
KEPT_ALIVE = (
    "python",
    _HEAD
    + """
for _ in range(rounds):
    c = http.client.HTTPConnection("127.0.0.1", port)
    for n in range(20): get(c, "/" if n % 3 else "/big")
    c.close()
""",
)
CLOSED = (
    "python",
    _HEAD
    + """
for _ in range(rounds * 10):
    c = http.client.HTTPConnection("127.0.0.1", port)
    get(c, headers={"Connection": "close"}); c.close()
""",
)
PIPELINED = (
    "python",
    _HEAD
    + """
for _ in range(rounds):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" * 19)
    s.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    while s.recv(65536): pass
    s.close()
""",
)
HEAD_304 = (
    "python",
    _HEAD
    + """
for _ in range(rounds):
    c = http.client.HTTPConnection("127.0.0.1", port)
    tag = get(c).headers["ETag"]
    for n in range(10):
        get(c, method="HEAD"); get(c, headers={"If-None-Match": tag}); get(c, "/missing")
    c.close()
""",
)
CONTINUE = (
    "sh",
    """
for n in $(seq $((ROUNDS * 4))); do
  head -c 200000 /dev/zero | curl -sS -o /dev/null -H 'Expect: 100-continue' --data-binary @- http://127.0.0.1:$PORT/x
  curl -sS -o /dev/null http://127.0.0.1:$PORT/a http://127.0.0.1:$PORT/b
done #curl""",
)
NODE = (
    "node",
    """
const http = require('http'), agent = new http.Agent({keepAlive: true, maxSockets: 4})
const one = () => new Promise((ok, no) => { const q = http.request(
  {port: +process.env.PORT, host: '127.0.0.1', agent, method: 'POST'}, r => { r.resume(); r.on('end', ok) })
  q.on('error', no); q.end('b'.repeat(5000)) })
;(async () => {
  for (let n = 0; n < process.env.ROUNDS * 5; n++) await Promise.all([one(), one(), one(), one()])
  agent.destroy()
})()
""",
)
TLS = (
    "python",
    _HEAD
    + """
context = ssl._create_unverified_context()
for _ in range(rounds):
    c = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    for n in range(20): get(c, "/" if n % 3 else "/big")
    c.close()
""",
)
TLS_CLOSED = (
    "python",
    _HEAD
    + """
context = ssl._create_unverified_context()
for _ in range(rounds * 5):
    c = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    get(c, headers={"Connection": "close"}); c.close()
""",
)
CURL_H2 = (
    "sh",
    """
for n in $(seq $((ROUNDS * 3))); do
  curl -sSk --http2 -o /dev/null -o /dev/null -o /dev/null https://127.0.0.1:$PORT/ \
    https://127.0.0.1:$PORT/big \
    https://127.0.0.1:$PORT/missing
done #curl""",
)
NODE_H2C = (
    "node",
    """
const http2 = require('http2')
const session = () => new Promise(done => { const s = http2.connect('http://127.0.0.1:' + process.env.PORT)
  let left = 20
  for (let n = 0; n < 20; n++) { const q = s.request({':path': '/' + n}); q.resume()
    q.on('end', () => { if (!--left) s.close(done) }); q.end() } })
;(async () => { for (let n = 0; n < process.env.ROUNDS; n++) await session() })()
""",
)
H2LOAD = "sh", "h2load -n $((ROUNDS * 30)) -c 5 -m 10 http://127.0.0.1:$PORT/index.html >/dev/null #h2load"
WEBSOCKET = (
    "python",
    """
import os, websockets.sync.client as w
for n in range(int(os.environ["ROUNDS"]) * 3):
    with w.connect("ws://127.0.0.1:" + os.environ["PORT"]) as ws:
        for m in range(10): ws.send("m" * m * 50); ws.recv()
        if n % 2: ws.send("end"); ws.recv()
""",
)
POSTGRES = (
    "python",
    """
import os, pg8000.dbapi as pg
for n in range(int(os.environ["ROUNDS"])):
    c = pg.connect("lab", host="127.0.0.1", port=int(os.environ["PORT"]), database="postgres")
    cursor = c.cursor()
    for m in range(20):
        cursor.execute("select generate_series(1, %d)" % (m * 50 + 1)); cursor.fetchall()
    c.commit(); c.close()
""",
)
MYSQL = (
    "python",
    """
import os, pymysql
for n in range(int(os.environ["ROUNDS"])):
    c = pymysql.connect(host="127.0.0.1", port=int(os.environ["PORT"]), database="information_schema")
    cursor = c.cursor()
    for m in range(20):
        if m % 2: cursor.execute("show variables")
        else: cursor.execute("select %s", ("x" * 3000,))
        cursor.fetchall()
    c.ping(); c.close()
""",
)
REDIS = (
    "python",
    """
import os, redis
for n in range(int(os.environ["ROUNDS"])):
    c = redis.Redis(port=int(os.environ["PORT"]))
    for m in range(10): c.set("k%d" % m, "v" * m * 500); c.get("k%d" % m); c.hset("h", "a", m); c.hgetall("h")
    p = c.pipeline(transaction=bool(n % 2))
    for m in range(10): p.incr("n"); p.lrange("l", 0, -1)
    p.execute(); c.close()
""",
)
SMTP = (
    "python",
    """
import os, smtplib
for n in range(int(os.environ["ROUNDS"])):
    s = smtplib.SMTP("127.0.0.1", int(os.environ["PORT"]))
    for m in range(3): s.sendmail("a@b.example", ["c@d.example"], "Subject: x\\r\\n\\r\\n" + "t\\r\\n" * 2000)
    s.quit()
""",
)
FTP = (
    "python",
    """
import ftplib, io, os
for n in range(int(os.environ["ROUNDS"])):
    f = ftplib.FTP(); f.connect("127.0.0.1", int(os.environ["PORT"])); f.login()
    f.retrbinary("RETR file", lambda d: None); f.storbinary("STOR up", io.BytesIO(b"u" * 9000))
    f.nlst(); f.quit()
""",
)
SSH = (
    "sh",
    """
for n in $(seq $ROUNDS); do
  ssh -q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -i $FOLDER/user \
    -p $PORT 127.0.0.1 'head -c 5000 /dev/zero' >/dev/null
done #ssh""",
)
