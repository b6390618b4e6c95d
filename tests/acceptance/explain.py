"""What real programs say of connections that were made to fail, and texts of other kinds, given to explain.

Programs that are not installed are left out: Go, Ruby, PHP and Java from Debian, database drivers from PyPI
(psycopg2-binary psycopg[binary] pg8000 asyncpg sqlalchemy pymysql mysql-connector-python redis pymongo pika
kafka-python grpcio websockets) in the Python that ECONNLAB_DRIVERS names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from econnlab.commands.explain.answer import Answer, NotUnderstood
from econnlab.commands.explain.explaining import explain
from tests.benchmarks.figures import Figure
from tests.peers.conftest import MODULES
from tests.support.failing import RIGHT, failing
from tests.support.failing_databases import failing_databases

SAYING = Path(__file__).parent.parent / "peers" / "saying"
TEXTS = Path(__file__).parent.parent / "support" / "texts"
JARS = "httpclient httpcore httpclient5 httpcore5 httpcore5-h2 okhttp okio commons-logging slf4j-api".split()
PATIENCE_S = 300

#: Who may be named for a program; of all, OpenSSL for TLS, the system for a code, Python for its sockets.
PRODUCTS = {
    "requests": "requests|urllib3|http.client",
    "urllib3": "urllib3|http.client",
    "urllib": "Python",
    "httpx": "httpx",
    "aiohttp": "aiohttp",
    "http": "Node",
    "fetch": "Node",
    "undici": "Node",
    "axios": "Node",
    "got": "Node",
    "node-fetch": "Node",
    "go": "Go",
    "ruby": "Ruby",
    "php": "PHP",
    "php-curl": "curl",
    "urlconnection": "Java",
    "jdk": "Java",
    "hc4": "Apache HttpClient|Java",
    "hc5": "Apache HttpClient|Java",
    "okhttp": "OkHttp|Java",
    "psycopg2": "Postgres",
    "psycopg": "Postgres",
    "pg8000": "Postgres",
    "asyncpg": "Postgres",
    "sqlalchemy": "Postgres",
    "pymysql": "MySQL",
    "mysql.connector": "MySQL",
    "redis": "Redis",
    "pymongo": "Mongo",
    "pika": "AMQP",
    "kafka": "Kafka",
    "grpc": "gRPC",
    "websockets": "websockets",
}
ENDED = (
    RIGHT["fin"]
    | RIGHT["rst"]
    | {"lost_heartbeat", "goaway", "admin_ended", "tls_mismatch", "protocol_error"}
)
DATABASES = {
    "fin": ENDED,
    "rst": ENDED,
    "now": ENDED | {"not_listening"},
    "silent": RIGHT["silent"] | {"unreachable", "lost_heartbeat", "client_blocked", "not_listening"},
    "refused": RIGHT["refused"],
}


def measure() -> Iterator[Figure]:
    """The shares of real texts that got the right article, or a wrong product's; of others that got any."""
    heard = Counter(verdict for line, right in said() for verdict in verdicts(line, right))
    texts = heard.total()
    yield Figure("texts of real programs", texts, at_least=300)
    yield Figure("  right article, %", 100 * heard["right"] / texts, at_least=85)
    yield Figure("  a wrong product's, %", 100 * heard["wrong product"] / texts, at_most=1)
    others = (TEXTS / "no_network.txt").read_text(encoding="utf-8").rstrip("\n").split("\n----\n")
    answered = sum(not isinstance(explain(text), NotUnderstood) for text in others)
    yield Figure("texts that are no network errors", len(others), at_least=300)
    yield Figure("  with an article, %", 100 * answered / len(others), at_most=1)


def verdicts(line: dict[str, Any], right: dict[str, set[str]]) -> Iterator[str]:
    """For each text: right, wrong cause, wrong product or not understood."""
    for text in line["said"]:
        answers = explain(text)
        verdict = "not understood" if isinstance(answers, NotUnderstood) else judged(answers[0], line, right)
        if verdict != "right":
            sys.stderr.write(f"{verdict}: {line['program']} {line['way']}: {text[-160:]!r}\n")
        yield verdict


def judged(answer: Answer, line: dict[str, Any], right: dict[str, set[str]]) -> str:
    """Whether product and cause are right."""
    wanted = f"{PRODUCTS[line['program']]}|OpenSSL|TLS|operating system|Python socket"
    if re.search(wanted, answer.product, re.IGNORECASE) is None:
        return "wrong product"
    return "right" if right[line["way"]] & set(answer.causes[:2]) else "wrong cause"


def said() -> Iterator[tuple[dict[str, Any], dict[str, set[str]]]]:
    """What each installed program says, with the causes that are right for it."""
    with failing() as urls, tempfile.TemporaryDirectory() as folder:
        for words in http_clients(urls, Path(folder)):
            for line in lines_of(words):
                yield line, RIGHT
    with failing_databases() as ports:
        python = os.environ.get("ECONNLAB_DRIVERS", sys.executable)
        for line in lines_of([python, str(SAYING / "database_clients.py"), json.dumps(ports)]):
            yield line, DATABASES


def http_clients(urls: dict[str, str], folder: Path) -> Iterator[list[str]]:
    """The command line of each program that is installed."""
    asked = json.dumps(list(urls.items()))
    yield [sys.executable, str(SAYING / "python_clients.py"), asked]
    if node := shutil.which("node"):
        yield [node, str(SAYING / "node_clients.cjs"), str(MODULES), asked]
    if ruby := shutil.which("ruby"):
        yield [ruby, str(SAYING / "ruby_clients.rb"), asked]
    if php := shutil.which("php"):
        yield [php, str(SAYING / "php_clients.php"), asked]
    if go := shutil.which("go"):
        built = str(folder / "go_clients")
        environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod"}
        subprocess.run(
            [go, "build", "-o", built, str(SAYING / "go_clients.go")], env=environment, cwd=folder, check=True
        )
        yield [built, asked]
    if javac := shutil.which("javac"):
        path = ":".join([str(folder), *(f"/usr/share/java/{name}.jar" for name in JARS)])
        compiled = [javac, "-nowarn", "-d", str(folder), "-cp", path, str(SAYING / "JavaClients.java")]
        subprocess.run(compiled, check=True)
        # Without its libraries the JDK's own clients speak alone.
        subprocess.run(
            [*compiled, str(SAYING / "MoreJavaClients.java")], stderr=subprocess.DEVNULL, check=False
        )
        yield ["java", "-cp", path, "JavaClients", *(word for pair in urls.items() for word in pair)]


def lines_of(words: list[str]) -> list[dict[str, Any]]:
    """What the program printed: a JSON object for each failure."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
