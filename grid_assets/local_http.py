"""Which requests a server on this machine answers.

It listens on the loopback interface, but any web page that is open in a browser here can send it
requests, from a site of its own or under a name that it points at this machine. Programs send no
Origin, and browsers always send one with a cross-origin POST, and the name in Host.
"""

from __future__ import annotations

from collections.abc import Collection
from email.message import Message
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_host_known(headers: Message, names: Collection[str] = ()) -> bool:
    """Whether Host, if sent, names this machine: by a loopback address, `localhost`, or `names`."""
    return all(_is_known(host, names) for host in headers.get_all("Host", []))


def is_from_a_page(headers: Message) -> bool:
    """Whether a web page sent the request. A page can omit Origin, but then it can send no JSON."""
    is_json = headers.get_content_type() == "application/json"
    return "Origin" in headers or not is_json


def is_loopback(host: str) -> bool:
    """Whether a host is surely this machine; the only name that counts is `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_known(host: str, names: Collection[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name) or name in names
