"""A Ray cluster of several nodes on the loopback, for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NOTICED_SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 4}
QUIET = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0"}
"""It listens on the loopback alone and reports to nobody; Ray reads that when it is first imported."""


@contextmanager
def cluster_of(nodes: int) -> Iterator[Any]:
    """Its nodes have one core each; the first is the head. A node that is lost is noticed within seconds."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": NOTICED_SOON})
    for _ in range(nodes - 1):
        cluster.add_node(num_cpus=1)
    try:
        yield cluster
    finally:
        cluster.shutdown()
