"""``econnlab check``: does a client, in any language, survive each trouble?"""
