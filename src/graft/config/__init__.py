"""One class per section of params.yaml. Defaults are in `configs/`, not here."""

from graft.config.adapter import AdapterConfig, AnyAdapter, FullConfig, LoraConfig
from graft.config.data import (
    ConvertConfig,
    DataConfig,
    PreprocessConfig,
    TokenizeConfig,
    ValidateConfig,
)
from graft.config.engine import EngineConfig
from graft.config.requirements import MetricRequirement, RequirementsConfig
from graft.config.section import Section
from graft.config.split import LeakageConfig, SplitConfig
from graft.config.task import (
    EvaluateConfig,
    ModelConfig,
    PromptConfig,
    RegistryConfig,
    TaskConfig,
)
from graft.config.train import QuantizationConfig, TrainConfig

__all__ = [
    "AdapterConfig",
    "AnyAdapter",
    "ConvertConfig",
    "DataConfig",
    "EngineConfig",
    "EvaluateConfig",
    "FullConfig",
    "LeakageConfig",
    "LoraConfig",
    "MetricRequirement",
    "ModelConfig",
    "PreprocessConfig",
    "PromptConfig",
    "QuantizationConfig",
    "RegistryConfig",
    "RequirementsConfig",
    "Section",
    "SplitConfig",
    "TaskConfig",
    "TokenizeConfig",
    "TrainConfig",
    "ValidateConfig",
]
