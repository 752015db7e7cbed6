# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many callers at once, each from a loopback address of its own."""

import http.client

from docket import Client, parallel


class From(Client):
    """A client whose address is 127.0.x.y."""

    def __init__(self, dev, address):
        super().__init__(dev)
        self.address = address

    def connect(self):
        if not self.connection:
            self.connection = http.client.HTTPSConnection(
                self.dev.host, self.dev.port, context=self.dev.tls(),
                timeout=self.timeout, source_address=(self.address, 0))
            self.used = False
        return self.connection


def address(number):
    return f"127.0.{number // 250 + 1}.{number % 250 + 1}"


def crowd(dev, n, job, first=0):
    """job(client, i) of n clients, on warm connections, all at once."""
    clients = [From(dev, address(first + i)) for i in range(n)]
    for client in clients:
        client.get("/healthz")
    try:
        return parallel([lambda c=c, i=i: job(c, i)
                         for i, c in enumerate(clients)])
    finally:
        for client in clients:
            client.close()
