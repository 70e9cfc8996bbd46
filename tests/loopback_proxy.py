"""A stand-in for the proxy of an office or a country: SOCKS5 and HTTP on one port of 127.0.0.1."""

import contextlib
import re
import socket
import socketserver
import struct
import threading
from typing import Any


class LoopbackProxy:
    """The proxy, from `with` to the end of the block.

    Attributes:
        passed: Where connections were led to, "127.0.0.1:8080", in their order.
        refuses: Whether it lets nobody through.
    """

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.refuses = False
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "LoopbackProxy":
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    proxy: LoopbackProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        proxy = self.server.proxy
        socks = self.request.recv(1, socket.MSG_PEEK) == b"\x05"
        host, port, first = self._greet_socks() if socks else self._read_http()
        proxy.passed.append(f"{host}:{port}")
        if proxy.refuses:
            # It says that it closes: else, after a HEAD, the next request may come just before it does.
            refusal = b"HTTP/1.1 407 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            self.request.sendall(b"\x05\x02\0\x01" + bytes(6) if socks else refusal)
            return
        with socket.create_connection((host, port)) as there:
            if socks:
                self.request.sendall(b"\x05\0\0\x01" + bytes(6))
            there.sendall(first)
            threading.Thread(target=_pipe, args=(self.request, there), daemon=True).start()
            _pipe(there, self.request)

    def _greet_socks(self) -> tuple[str, int, bytes]:
        """RFC 1928, without a password."""
        self.request.recv(2 + self.request.recv(2, socket.MSG_PEEK)[1])
        self.request.sendall(b"\x05\0")
        kind = self.request.recv(4)[3]
        if kind == 1:
            host = socket.inet_ntoa(self.request.recv(4))
        else:
            host = self.request.recv(self.request.recv(1)[0]).decode()
        return host, struct.unpack(">H", self.request.recv(2))[0], b""

    def _read_http(self) -> tuple[str, int, bytes]:
        first = self.request.recv(65536)
        where = re.match(rb"\w+ http://([^/:]+):(\d+)/", first)
        assert where, first
        return where[1].decode(), int(where[2]), first


def _pipe(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := one.recv(65536):
            other.sendall(some)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)
