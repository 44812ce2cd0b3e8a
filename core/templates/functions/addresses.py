"""Functions on addresses of networks."""

from __future__ import annotations

import ipaddress
from decimal import Decimal

from core.templates.functions.collections import whole
from core.templates.functions.signature import FunctionError, function
from core.templates.values.types import NUMBER, STRING
from core.templates.values.value import Value, listing, text

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Number = int | Decimal


def _network(prefix: str) -> Network:
    try:
        if "/" not in prefix:
            raise ValueError
        return ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        raise FunctionError(f"{prefix!r} is no network", 0, 'write it like "10.1.0.0/16"') from None


@function("cidrhost", STRING, NUMBER)
def cidrhost(prefix: str, host: Number) -> str:
    network = _network(prefix)
    number = int(host)
    if number != host:
        raise FunctionError("the host is a whole number", 1)
    place = number if number >= 0 else network.num_addresses + number
    if not 0 <= place < network.num_addresses:
        raise FunctionError(f"{prefix} has only {network.num_addresses} addresses", 1)
    return str(network[place])


@function("cidrnetmask", STRING)
def cidrnetmask(prefix: str) -> str:
    network = _network(prefix)
    if network.version == 6:
        raise FunctionError("only IPv4 has netmasks", 0)
    return str(network.netmask)


@function("cidrsubnet", STRING, NUMBER, NUMBER)
def cidrsubnet(prefix: str, bits: Number, number: Number) -> str:
    return str(_subnet(_network(prefix), whole(bits, 1), whole(number, 2)))


def _subnet(network: Network, bits: int, number: int) -> Network:
    length = network.prefixlen + bits
    if length > network.max_prefixlen:
        raise FunctionError(f"{network} cannot be extended by {bits} bits", 1)
    if number >= 1 << bits:
        raise FunctionError(f"{bits} bits make only {1 << bits} networks", 2)
    address = int(network.network_address) + (number << (network.max_prefixlen - length))
    return type(network)((address, length))


@function("cidrsubnets", STRING, rest=NUMBER)
def cidrsubnets(prefix: str, *bits: Number) -> Value:
    network = _network(prefix)
    following = int(network.network_address)
    found = []
    for at, more in enumerate(bits, 1):
        length = network.prefixlen + whole(more, at, 1)
        if length > network.max_prefixlen:
            raise FunctionError(f"{network} cannot be extended by {more} bits", at)
        size = 1 << (network.max_prefixlen - length)
        following = (following + size - 1) // size * size
        if following + size > int(network.network_address) + network.num_addresses:
            raise FunctionError(f"{network} is too small for all of them", at)
        found.append(text(str(type(network)((following, length)))))
        following += size
    return listing(found, STRING)
