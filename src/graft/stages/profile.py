"""Stage `profile`: training split → the reference of drift analyses."""

from pathlib import Path

from graft import cli, io
from graft.monitoring.drift.profile import make_profile, write_profile
from graft.records import SPLITS


def run(splits: Path, tokens: Path, out: Path) -> None:
    """Write the features of a sample of the training prompts."""
    train = splits / SPLITS[0]
    template_hash = io.read_json(tokens)["template_hash"]
    profile = make_profile(lambda names: io.read_batches(train, names), template_hash)
    write_profile(out, profile)
    count = profile.facts.num_prompts
    print(f"{profile.rows.num_rows:,} of {count:,} training prompts")


if __name__ == "__main__":
    cli.stage(run)
