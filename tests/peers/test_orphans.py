"""No process of a peer outlives a lab that is killed (`make acceptance` kills a hundred)."""

from __future__ import annotations

import pytest

from tests.support.orphans import MOST_S, moments, outlived_s


@pytest.mark.parametrize(("server", "client", "after_s"), moments(5, seed=13))
def test_no_process_of_a_peer_outlives_a_lab_that_is_killed(server, client, after_s):
    assert outlived_s(server, client, after_s) <= MOST_S
