"""Compare the complete preprocess stage with datatrove's local executor, in one run.

    python benchmarks/datatrove_peer.py --rows 1000000 --peer /path/to/venv/bin/python

The peer's interpreter needs `datatrove[io,processing]` (measured: 0.10). Both repair
text, redact personal data, filter by length, and drop near-duplicates with MinHash, in
2 processes or threads, on rows with 1 % dirt. The peer processes fewer rows, because it
is slow and its rate hardly depends on their number. datatrove runs with its defaults:
its PII formatter finds only e-mail and IP addresses, and there is no language rule. Its
documents join both sides of a pair. Prints rows/s and the ratio.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import corpus
import yaml
from preprocess_speed import stage, write_params

PEER = """
import sys
from datatrove.executor import LocalPipelineExecutor as Run
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.typeshelper import Languages

work, tasks = sys.argv[1], 2
config = MinhashConfig()

def both(self, data, path, at, *_):
    text = (data["en"] or "") + "\\n" + (data["fr"] or "")
    return {"text": text, "id": f"{path}/{at}", "media": [], "metadata": {}}

def fits(doc):
    first, _, second = doc.text.partition("\\n")
    sizes = len(first.strip()), len(second.strip())
    return min(sizes) >= 1 and max(sizes) <= 20000 and max(sizes) <= 4 * min(sizes)

def main():
    clean = [
        ParquetReader(f"{work}/peer", adapter=both),
        FTFYFormatter(normalization="NFC"),
        PIIFormatter(),
        LambdaFilter(fits),
        ParquetWriter(f"{work}/dt/clean"),
    ]
    steps = [
        (clean, tasks),
        ([ParquetReader(f"{work}/dt/clean"),
          MinhashDedupSignature(f"{work}/dt/sigs", config=config, language=Languages.english)], tasks),
        ([MinhashDedupBuckets(f"{work}/dt/sigs", f"{work}/dt/buckets", config=config)], 14),
        ([MinhashDedupCluster(f"{work}/dt/buckets", f"{work}/dt/remove", config=config)], 1),
        ([ParquetReader(f"{work}/dt/clean"), MinhashDedupFilter(f"{work}/dt/remove"),
          ParquetWriter(f"{work}/dt/out")], tasks),
    ]
    for number, (pipeline, count) in enumerate(steps):
        Run(pipeline, tasks=count, workers=2, logging_dir=f"{work}/dt/log{number}").run()

if __name__ == "__main__":
    main()
"""


def main() -> None:
    """Time graft, then the peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=40_000)
    parser.add_argument("--peer", help="python with datatrove; omitted: only graft")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="graft-peer-") as folder:
        work = Path(folder)
        corpus.write(work / "rows", args.rows, 0.01, "parquet")
        defaults = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["preprocess"]
        write_params(work, **defaults)
        stage("convert", work, "--out converted --rejects r1 --report c.json")
        start = time.perf_counter()
        flags = "--examples converted --decisions d --out clean --rejects r2"
        stage("preprocess", work, f"{flags} --review review.csv --report p.json")
        graft = time.perf_counter() - start
        print(f"graft     {args.rows / graft:>10,.0f} rows/s  {graft:.1f} s")
        if not args.peer:
            print("datatrove was not run: pass its interpreter with --peer")
            return
        (work / "peer.py").write_text(PEER, encoding="utf-8")
        for part in range(2):  # a file for each of its workers
            corpus.write(
                work / f"peer/{part}", args.peer_rows // 2, 0.01, "parquet", part
            )
        start = time.perf_counter()
        command = [args.peer, str(work / "peer.py"), str(work)]
        subprocess.run(command, check=True, stderr=(work / "log").open("w"))
        peer = time.perf_counter() - start
        print(
            f"datatrove {args.peer_rows / peer:>10,.0f} rows/s  {peer:.1f} s for "
            f"{args.peer_rows:,} rows; graft is "
            f"{args.rows / graft / (args.peer_rows / peer):.1f} times as fast"
        )


if __name__ == "__main__":
    sys.exit(main())
