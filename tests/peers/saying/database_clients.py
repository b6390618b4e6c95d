"""What database drivers say of a server that takes the login and then fails; a JSON line for each failure.

database_clients.py '{"postgres": {"fin": PORT, ...}, ...}'; ``now`` closes at once. Drivers that are not
installed are left out.
"""

import importlib
import json
import signal
import sys
import traceback

TIMEOUT_S = 2
PATIENCE_S = 6


def psycopg2(module, port):
    connection = module.connect(
        f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable connect_timeout=2"
    )
    connection.cursor().execute("select 1")


def psycopg(module, port):
    connection = module.connect(
        f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable connect_timeout=2"
    )
    connection.execute("select 1")


def pg8000(module, port):
    connection = module.connect(user="u", host="127.0.0.1", port=port, timeout=TIMEOUT_S)
    connection.cursor().execute("select 1")


def asyncpg(module, port):
    import asyncio

    async def ask():
        connection = await module.connect(
            host="127.0.0.1", port=port, user="u", database="d", ssl=False, timeout=TIMEOUT_S
        )
        await connection.execute("select 1", timeout=TIMEOUT_S)

    asyncio.run(ask())


def sqlalchemy(module, port):
    engine = module.create_engine(
        f"postgresql+psycopg2://u@127.0.0.1:{port}/d?sslmode=disable&connect_timeout=2"
    )
    with engine.connect() as connection:
        connection.execute(module.text("select 1"))


def pymysql(module, port):
    connection = module.connect(
        host="127.0.0.1", port=port, user="u", connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S
    )
    connection.cursor().execute("select 1")


def mysql_connector(module, port):
    connection = module.connect(
        host="127.0.0.1", port=port, user="u", connection_timeout=TIMEOUT_S, use_pure=True
    )
    connection.cursor().execute("select 1")


def redis(module, port):
    module.Redis(port=port, socket_timeout=1, retry=None).get("k")


def pymongo(module, port):
    module.MongoClient(port=port, serverSelectionTimeoutMS=1500, directConnection=True).admin.command("ping")


def pika(module, port):
    parameters = module.ConnectionParameters(
        "127.0.0.1", port, socket_timeout=1, stack_timeout=1.5, blocked_connection_timeout=1
    )
    module.BlockingConnection(parameters)


def kafka(module, port):
    module.KafkaConsumer(
        bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=1200, session_timeout_ms=1000
    )


def grpc(module, port):
    channel = module.insecure_channel(f"127.0.0.1:{port}")
    channel.unary_unary("/a.B/c")(b"", timeout=TIMEOUT_S)


def websockets(module, port):
    importlib.import_module("websockets.sync.client").connect(f"ws://127.0.0.1:{port}/", open_timeout=1)


DRIVERS = {
    "postgres": {
        "psycopg2": psycopg2,
        "psycopg": psycopg,
        "pg8000": pg8000,
        "asyncpg": asyncpg,
        "sqlalchemy": sqlalchemy,
    },
    "mysql": {"pymysql": pymysql, "mysql.connector": mysql_connector},
    "redis": {"redis": redis},
    "plain": {"pymongo": pymongo, "pika": pika, "kafka": kafka, "grpc": grpc, "websockets": websockets},
}


class TooLongError(BaseException):
    """The driver tries for longer than anybody waits here."""


def give_up(*_):
    raise TooLongError


def main():
    signal.signal(signal.SIGALRM, give_up)
    for protocol, ports in json.loads(sys.argv[1]).items():
        for name, ask in DRIVERS[protocol].items():
            try:
                module = importlib.import_module(name)
            except ImportError:
                continue
            for way, port in ports.items():
                signal.alarm(PATIENCE_S)
                try:
                    ask(module, port)
                except Exception as error:
                    signal.alarm(0)
                    last = traceback.format_exception_only(error)[-1].strip()
                    said = [traceback.format_exc(), last]
                    print(json.dumps({"program": name, "way": way, "said": said}), flush=True)
                except TooLongError:
                    continue


main()
