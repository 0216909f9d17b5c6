"""The decision at the end of the pipeline, which never fails it."""

from graft.config import EvaluateConfig, GatedRegistryConfig
from graft.errors import GraftError
from graft.registry.answers import to_line
from graft.registry.promotion import Promotion

DECISION = "decision.json"
"""The last decision, in the folder of the journals; the registry has all of them."""


def decide_automatically(
    registry: GatedRegistryConfig, evaluate: EvaluateConfig, version: str
) -> str:
    """Decide on a version if `registry.promote` is auto. Returns: one line."""
    later = f"graft promote {version}"
    if registry.promote == "manual":
        return f"not decided: registry.promote is manual; to decide: {later}"
    try:
        decision = Promotion(registry, evaluate, version, "certify").run()
    except GraftError as error:  # everything is written and registered
        return f"not decided: {error.where}: {error.problem}; later: {later}"
    if decision is None:
        return f"{registry.name} version {version} is champion already"
    return to_line(decision)
