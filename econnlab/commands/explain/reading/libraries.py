"""Libraries that pass on the error of another one: RemoteDisconnected through requests is http.client's."""

from __future__ import annotations

#: What shows the library, in lower case, and its name; the outermost first.
_LIBRARIES = (
    ("openai.", "openai"),
    ("anthropic.", "anthropic"),
    ("botocore.", "botocore"),
    ("elasticsearch", "elasticsearch"),
    ("google.auth", "google-auth"),
    ("azure.core", "azure-core"),
    ("requests.exceptions", "requests"),
    ("requests/adapters.py", "requests"),
    ("urllib3.exceptions", "urllib3"),
    ("axioserror", "axios"),
    ("node_modules/axios", "axios"),
    ("node_modules/got/", "got"),
    ("requesterror", "got"),
    ("node-fetch", "node-fetch"),
    ("fetcherror", "node-fetch"),
    ("next/dist", "Next.js"),
    ("failed to proxy", "Next.js"),
    ("http-proxy", "http-proxy"),
    ("superagent", "superagent"),
    ("sqlalchemy.", "SQLAlchemy"),
    ("django.db", "Django"),
    ("activerecord::", "ActiveRecord"),
    ("hikari", "HikariCP"),
    ("springframework", "Spring"),
    ("feign.", "Feign"),
    ("guzzlehttp", "Guzzle"),
    ("faraday::", "Faraday"),
    ("reqwest", "reqwest"),
    ("retrofit2", "Retrofit"),
    ("typeorm", "TypeORM"),
    ("sequelize", "Sequelize"),
    ("knex", "Knex"),
    ("celery", "Celery"),
    ("kombu", "kombu"),
    ("microsoft.entityframeworkcore", "Entity Framework"),
    ("doctrine\\", "Doctrine"),
    ("illuminate\\", "Laravel"),
)


def through(product: str, lower: str) -> str:
    """``product``, with the library in ``lower`` that passed its error on."""
    name = next((name for shown, name in _LIBRARIES if shown in lower), "")
    return f"{product}, through {name}" if name and name.lower() not in product.lower() else product
