"""Grafana's dashboards, from the names of the metrics."""

from dashboards.data import DATA
from dashboards.panels import Dashboard
from dashboards.registry import REGISTRY
from dashboards.serving import SERVING
from dashboards.training import TRAINING

DASHBOARDS: tuple[Dashboard, ...] = (SERVING, TRAINING, DATA, REGISTRY)
