"""One class per section of params.yaml. Defaults are in `configs/`, not here."""

from graft.config.adapter import AdapterConfig, AnyAdapter, FullConfig, LoraConfig
from graft.config.certificate import BudgetConfig, CertificateConfig
from graft.config.data import (
    ConvertConfig,
    DataConfig,
    PreprocessConfig,
    TokenizeConfig,
    ValidateConfig,
)
from graft.config.engine import EngineConfig
from graft.config.evaluate import (
    EvaluateConfig,
    MetricRequirement,
    RequirementsConfig,
)
from graft.config.generation import GenerationConfig
from graft.config.model import ModelConfig
from graft.config.monitoring import MonitoringConfig
from graft.config.prompt import PromptConfig
from graft.config.registry import GateConfig, GatedRegistryConfig, RegistryConfig
from graft.config.section import Section
from graft.config.serving import ServingConfig
from graft.config.split import LeakageConfig, SplitConfig
from graft.config.task import TaskConfig
from graft.config.train import QuantizationConfig, TrainConfig

__all__ = [
    "BudgetConfig",
    "CertificateConfig",
    "AdapterConfig",
    "AnyAdapter",
    "ConvertConfig",
    "DataConfig",
    "EngineConfig",
    "EvaluateConfig",
    "FullConfig",
    "GateConfig",
    "GatedRegistryConfig",
    "GenerationConfig",
    "LeakageConfig",
    "LoraConfig",
    "MetricRequirement",
    "ModelConfig",
    "MonitoringConfig",
    "PreprocessConfig",
    "PromptConfig",
    "QuantizationConfig",
    "RegistryConfig",
    "RequirementsConfig",
    "Section",
    "ServingConfig",
    "SplitConfig",
    "TaskConfig",
    "TokenizeConfig",
    "TrainConfig",
    "ValidateConfig",
]
