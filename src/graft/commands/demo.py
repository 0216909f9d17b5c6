"""`graft demo`: a page in the browser to try what `graft serve` answers."""

import os
from pathlib import Path


def run(
    *,
    url: str = "http://127.0.0.1:8000",
    host: str = "127.0.0.1",
    port: int = 7860,
    feedback: Path = Path("data/feedback"),
    samples: Path = Path("evaluation/samples.json"),
) -> None:
    """Show a page to try the API of `graft serve`, until the process is interrupted.

    Versions answer side by side. Users rate and correct their answers; the
    configuration data=feedback trains on the corrections. GRAFT_API_KEY is the key of
    an API that has keys.

    Args:
        url: address of the API.
        host: address to show the page at; whoever reaches it uses the API with your
            key, and adds to the feedback.
        port: port of the page; 0 is any free port.
        feedback: folder for ratings.jsonl and corrections.jsonl.
        samples: examples to begin with, as the stage evaluate writes them.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"  # Gradio reads it on import
    from graft.serving.demo.client import ApiClient
    from graft.serving.demo.feedback import FeedbackFolder
    from graft.serving.demo.page import listen, to_blocks
    from graft.serving.demo.samples import read_samples

    client = ApiClient(url.rstrip("/"), os.environ.get("GRAFT_API_KEY"))
    prompts, folder = read_samples(samples), FeedbackFolder(feedback)
    listen(lambda: to_blocks(client, prompts, folder), host, port)
