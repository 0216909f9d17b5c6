"""Stage `preflight`: errors that would otherwise appear only after the data stages.

Its output is always the same, so that another machine, or an edit of a parameter that
only the checks read, reruns no other stage.
"""

from pathlib import Path

from graft import cli, config, io
from graft.preflight.checks import CHECKS, RunConfig, run_checks
from graft.preflight.hub import Hub
from graft.preflight.machine import read_machine


def run(
    adapter: config.AdapterConfig,
    data: config.DataConfig,
    generation: config.GenerationConfig,
    model: config.ModelConfig,
    quantization: config.QuantizationConfig,
    registry: config.RegistryConfig,
    split: config.SplitConfig,
    tokenize: config.TokenizeConfig,
    train: config.TrainConfig,
    out: Path,
) -> None:
    """Check device, memory, hub, disk and splits before anything is computed."""
    planned = RunConfig(
        adapter,
        data,
        generation,
        model,
        quantization,
        registry,
        split,
        tokenize,
        train,
    )
    run_checks(planned, read_machine(), Hub(), CHECKS)
    io.write_text(out, "passed\n")


if __name__ == "__main__":
    cli.stage(run)
