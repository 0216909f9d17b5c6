"""The decision at the end of stage evaluate, which never fails the stage."""

from graft.config import EvaluateConfig, GatedRegistryConfig
from graft.errors import GraftError
from graft.registry.answers import to_line
from graft.registry.promotion import Promotion


def decide_after_evaluation(
    registry: GatedRegistryConfig, evaluate: EvaluateConfig, version: str | None
) -> str:
    """Decide on a version if `registry.promote` is auto. Returns: one line."""
    if version is None:
        return "gate   not decided: the version is not registered yet"
    later = f"graft promote {version}"
    if registry.promote == "manual":
        return f"gate   registry.promote is manual; to decide: {later}"
    try:
        decision = Promotion(registry, evaluate, version, "evaluate").run()
    except GraftError as error:  # everything is written and registered
        return f"gate   not decided: {error.where}: {error.problem}; later: {later}"
    if decision is None:
        return f"gate   {registry.name} version {version} is champion already"
    return f"gate   {to_line(decision)}"
