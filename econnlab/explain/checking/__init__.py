"""Does anybody's client survive? What the server's ledger says of a command's requests, beside calm runs.

Pure: the requests as the server saw them go in, with the command's end; a verdict with its reason comes out.
"""
