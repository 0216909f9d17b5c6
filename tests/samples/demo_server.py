"""The demo of an API, on a free port of this machine."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiting import wait_until

from graft.serving.demo.client import ApiClient
from graft.serving.demo.feedback import FeedbackFolder
from graft.serving.demo.page import PageServer, to_blocks
from graft.serving.listening import bind


@contextmanager
def demo_of(url: str, folder: Path) -> Iterator[str]:
    """The address of a page that asks an API.

    Args:
        url: of the API.
        folder: for feedback.
    """
    client, feedback = ApiClient(url), FeedbackFolder(folder)
    servers: list[PageServer] = []

    async def show() -> None:
        servers.append(PageServer(to_blocks(client, ["The dog runs."], feedback)))
        await servers[0].serve([listener])

    with bind("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(show()))
        thread.start()
        while not (servers and servers[0].started):
            assert thread.is_alive(), "the page did not start"
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            servers[0].should_exit = True
            thread.join()


def wait_until_slots(api: object, number: int) -> None:
    """Wait until the API answers so many requests at once."""
    engine = api.server.runner.engine  # type: ignore[attr-defined]
    wait_until(lambda: engine.num_rows == number)
