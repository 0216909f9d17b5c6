"""The page of the demo, and the process that shows it."""

import asyncio
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graft.errors import ConfigError
from graft.serving.demo import texts
from graft.serving.demo.client import ApiClient
from graft.serving.demo.feedback import FeedbackFolder
from graft.serving.demo.panel import add_panel
from graft.serving.demo.questions import find_forms
from graft.serving.listening import bind

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
STYLE = Path(__file__).with_name("style.css")
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' "
    "data:; worker-src 'self' blob:; frame-ancestors 'none'"
)
"""The browser loads nothing from elsewhere, whatever Gradio's page asks for."""


def to_blocks(
    client: ApiClient, prompts: Sequence[str], folder: FeedbackFolder
) -> gr.Blocks:
    """The page: a tab for each way to ask.

    Args:
        prompts: for examples.
        folder: of the feedback.
    Raises: ConfigError if no API answers.
    """
    models = client.models()
    forms = find_forms(client, models[0])
    name = models[0].partition("@")[0].partition("/")[0]
    blocks = gr.Blocks(title=name, analytics_enabled=False)
    with blocks:
        gr.HTML(texts.to_heading(name, client.url), elem_classes="heading-block")
        if len(forms) == 1:
            add_panel(forms[0], client, models, prompts, folder)
        else:
            with gr.Tabs():
                for form in forms:
                    with gr.Tab(form.name.replace("_", " ").capitalize()):
                        add_panel(form, client, models, prompts, folder)
    # The API limits what is answered at once; the queue of the page is bounded, too.
    blocks.queue(default_concurrency_limit=64, max_size=256)
    return blocks


class OwnContentOnly:
    """Adds the policy to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
            await send(message)

        await self._app(scope, receive, send_with_policy)


def create_app(blocks: gr.Blocks) -> FastAPI:
    """The server of a page."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(OwnContentOnly)
    settings: dict[str, Any] = {
        "footer_links": [],
        "run_history": False,
        "max_file_size": 1,
        "ssr_mode": False,
        "enable_monitoring": False,
        "pwa": False,
        "mcp_server": False,
    }
    theme = gr.themes.Base(primary_hue="teal", neutral_hue="slate", font=FONTS)
    gr.mount_gradio_app(app, blocks, "/", theme=theme, css_paths=STYLE, **settings)
    return app


class PageServer(uvicorn.Server):
    """The server of a page. It ends the connections of open pages at its own end."""

    def __init__(self, blocks: gr.Blocks) -> None:
        app = create_app(blocks)
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._mounted = [route.app for route in app.routes if isinstance(route, Mount)]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        for mounted in self._mounted:
            getattr(mounted, "stop_event").set()
        await super().shutdown(sockets)


def listen(build: Callable[[], gr.Blocks], host: str, port: int) -> None:
    """Show a page until the process is interrupted.

    Args:
        build: makes the page.
    Raises: ConfigError if the address cannot be used; what `build` raises.
    """
    try:
        listener = bind(host, port)
    except ConfigError as error:
        raise ConfigError(
            f"--host {host} --port {port}",
            error.problem,
            expected=error.expected,
            fix="end the other server, or choose another --port (0: any free port)",
        ) from error

    async def show() -> None:  # Gradio leaks an event loop if none runs
        server = PageServer(build())
        host, port = listener.getsockname()[:2]
        print(f"the demo is at http://{host}:{port}", flush=True)
        await server.serve([listener])

    with listener:
        try:
            asyncio.run(show())
        except KeyboardInterrupt:  # uvicorn raises the signal again after its end
            print("stopped", file=sys.stderr)
