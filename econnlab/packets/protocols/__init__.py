"""What connections speak: one file a protocol.

Each has ``asked`` and ``answered(conversation, at, size, payload)``, which take in new bytes of the client
and of the server, in order: ``size`` bytes that came at ``at``, of which ``payload`` was captured. ``detect``
chooses.
"""
