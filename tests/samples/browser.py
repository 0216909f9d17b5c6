"""Chromium without a window, driven over a pipe by its DevTools protocol."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
"""None: there is no Chromium here."""
WAIT_S = 60
START = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(pipe), fcntl.F_DUPFD, 10) for pipe in sys.argv[1:3]]
for number, pipe in zip((3, 4), pipes):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Replaces itself by a program that reads from file 3 and writes to file 4."""


class Page:
    """One page of a browser.

    Attributes:
        requests: addresses that the page has asked for.
        problems: messages of its scripts' errors.
    """

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._rest = write, read, b""
        self._numbers = itertools.count(1)
        self._session = ""
        self.requests: list[str] = []
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """The result of a method of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            more = os.read(self._read, 1 << 16)
            assert more, "the browser has ended"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _note(self, event: Any) -> None:
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(event["params"]["exceptionDetails"]))

    def open(self, url: str, width: int, height: int) -> None:
        """Show an address in a window of this size; as a phone if it is narrow."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call("Page.navigate", url=url)

    def value(self, script: str) -> Any:
        """The value of an expression in the page."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        found = self.call("Runtime.evaluate", expression=script, **options)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        for _ in range(WAIT_S * 20):
            if self.value(f"Boolean({script})"):
                return
            time.sleep(0.05)
        raise AssertionError(f"not within {WAIT_S} s: {script}")

    def click(self, text: str, within: str = "body") -> None:
        """Click the visible button with this text."""
        find = (
            f"[...document.querySelectorAll({json.dumps(within + ' button')})].find("
            f"b => b.innerText.trim().includes({json.dumps(text)}) && b.offsetParent"
            " && !b.disabled)"
        )
        self.wait(find)
        self.value(f"{find}.click()")

    def type(self, selector: str, text: str) -> None:
        """Write a text into a field."""
        place = json.dumps(selector)
        self.wait(f"document.querySelector({place})")
        self.value(
            f"(e => {{ e.focus(); e.select() }})(document.querySelector({place}))"
        )
        self.call("Input.insertText", text=text)

    def take_screenshot(self, path: Path) -> None:
        """Store the whole page as PNG."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def open_page(folder: Path) -> Iterator[Page]:
    """A page of a new browser.

    Args:
        folder: for its profile.
    """
    assert PROGRAM is not None
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    start = [sys.executable, "-c", START, str(to_read), str(from_write)]
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-extensions"
    quiet = "--remote-debugging-pipe --disable-background-networking"
    profile = f"--user-data-dir={folder}/profile"
    with subprocess.Popen(
        [*start, PROGRAM, *flags.split(), *quiet.split(), profile, "about:blank"],
        pass_fds=(to_read, from_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(to_read)
        os.close(from_write)
        try:
            yield Page(to_write, from_read)
        finally:
            process.terminate()
            process.wait()
            os.close(to_write)
            os.close(from_read)
