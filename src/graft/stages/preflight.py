"""Stage `preflight`: run_checks at once what could only fail after the data stages.

It writes the same words whenever it passes, so that another machine, or an edit that
the checks alone read, makes nothing anew.
"""

from pathlib import Path

from graft import cli, config, io
from graft.preflight import CHECKS, HuggingFaceHub, RunConfig, read_machine, run_checks


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
    run_checks(planned, read_machine(), HuggingFaceHub(), CHECKS)
    io.write_text(out, "passed\n")


if __name__ == "__main__":
    cli.stage(run)
