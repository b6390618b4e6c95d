"""``axios: { retry: true }`` of Nuxt 2's axios module: axios-retry with all of its defaults."""

from __future__ import annotations

import random

from econnlab.client.policies import axios_retry_3
from econnlab.client.policies._axios import AxiosPolicy
from econnlab.client.retrying import Policy

NAME = "nuxt-axios"
HELP = "Nuxt 2, axios: { retry: true }: axios-retry 3.9 as it comes, any method after a network error"
SOURCE = (
    "@nuxtjs/axios 5.13.6, lib/module.js: retry true becomes {}, which lib/plugin.js passes to axiosRetry; "
    "axios-retry 3.9.1, es/index.mjs; axios 0.21.4, lib/adapters/http.js"
)
KIND = "model"
RETRIES = 3


def policy(retries: int, random: random.Random) -> Policy:
    """The policy of one axios instance. axios-retry 3.9 gives up if nothing is left of the timeout."""
    return AxiosPolicy(retries, axios_retry_3.condition, lambda failed: 0.0, least_timeout_s=None)
