"""The commands to run after ``diagnose``. Pure."""

from __future__ import annotations

from econnlab.attribution.packets.diagnosis import Diagnosis

#: What closes sooner has no idle timeout that is worth setting.
_LEAST_S = 1


def after_diagnosis(found: Diagnosis) -> list[str]:
    """About the server that lost most: probe it, and set its idle timeout if that was seen."""
    worst = max(found.servers, key=lambda server: server.lost, default=None)
    if worst is None or not worst.lost:
        return []
    tls = any(finding.tls for finding in found.findings if finding.server == worst.address)
    probe = f"econnlab probe {'https' if tls else 'http'}://{worst.address}/"
    if worst.idle_timeout is None or worst.idle_timeout.median_s < _LEAST_S:
        return [probe, "econnlab remedies --show retry"]
    return [probe, "econnlab remedies --show server-timeout", "econnlab remedies --show idle-limit"]
