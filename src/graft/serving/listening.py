"""The socket on which a server listens."""

import socket

from graft.errors import ConfigError


def bind(host: str, port: int, section: str = "serving") -> socket.socket:
    """A listening socket.

    Args:
        section: of the configuration that has host and port, for the error.
    Raises: ConfigError if the address is in use, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{section}.host={host}, {section}.port={port}",
            f"cannot listen there: {error.strerror or error}",
            expected="an address of this machine, and a free port",
            fix=f"end the other server, or set {section}.port (0: any free port)",
        ) from error
    return listener
