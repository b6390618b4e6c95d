"""A Python traceback, or the dotted name of a Python library's exception."""

from __future__ import annotations

import re

from econnlab.commands.explain.reading.found import Found

NAME = "Python traceback"
ORDER = 30
HINTS = (
    "traceback (most recent",
    '.py", line',
    "error(",
    "exception(",
    "error:",
    "exception:",
    "error",
    "exception",
)

_FRAME = re.compile(r'File "[^"\n]+", line \d+')
_DOTTED = re.compile(
    r"\b(?:requests|urllib3|httpx|httpcore|h11|h2|aiohttp|anyio|botocore|boto3|http\.client"
    r"|ssl|socket|grpc|psycopg2?|asyncpg"
    r"|pymysql|MySQLdb|redis|pymongo|kafka|pika|aiokafka|sqlalchemy|elasticsearch\w*|uvicorn"
    r"|gunicorn|websockets|openai|anthropic"
    r"|aioredis|celery|kombu|amqp|django|urllib|asyncio|tornado|paramiko|google\.\w+"
    r"|azure)(?:\.[\w]+)*\.[A-Z_]\w+"
)
_BUILTIN = re.compile(r"\b(?:Connection(?:Reset|Aborted|Refused)?|BrokenPipe)Error\b[:(]")


def read(text: str, lower: str) -> Found | None:
    """Frames first, else an exception's name."""
    del lower
    if "Traceback (most recent call last)" in text or _FRAME.search(text):
        return Found("a traceback of Python", {"python": ""}, "Python")
    named = _DOTTED.search(text)
    if named:
        return Found(f"the exception {named[0]} is Python's", {"python": ""}, "Python")
    if _BUILTIN.search(text) and ".js:" not in text:
        return Found("an exception that Python builds in", {"python": ""}, "Python")
    return None
