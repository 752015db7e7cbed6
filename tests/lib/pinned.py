# SPDX-License-Identifier: AGPL-3.0-or-later
"""A kept connection to each worker: nginx may ask whichever it likes, and a
test that means every one of them cannot leave that to luck."""

import re

import docket
from fastcgi import Peer, request, sockets

# How many connections are opened at once, to see who takes them.
TOGETHER = 64


class Crew:
    """One Peer a worker of both groups, by the worker's name in the log."""

    def __init__(self, dev):
        self.dev, self.peers = dev, {}
        counts = re.findall(r" ready main=(\d+) hash=(\d+) ", dev.log())[-1]
        for path, group, n in zip(sockets(dev).values(), ("main", "hash"),
                                  map(int, counts)):
            names = {f"{group}.{i}" for i in range(n)}
            docket.wait_until(lambda: self.gather(path, names),
                              f"a connection to each of {names}", 60)

    def gather(self, path, names):
        """Ask over many connections at once, so that everybody has to take
        some; keep one of each. True when none is missing."""
        peers = {docket.new_name("crew"): Peer(path) for _ in range(TOGETHER)}
        for rid, peer in peers.items():
            peer.send(request(HTTP_X_REQUEST_ID=rid))
        for peer in peers.values():
            assert peer.reply().status == 200
        takers = docket.wait_until(lambda: self.takers(peers),
                                   "the requests' lines in the log", 20)
        for rid, peer in peers.items():
            if takers[rid] in names and takers[rid] not in self.peers:
                self.peers[takers[rid]] = peer
            else:
                peer.close()
        return names <= self.peers.keys()

    def takers(self, rids):
        """{request id: worker}, once all have been written."""
        found = dict((rid, worker) for worker, rid in re.findall(
            r" docketd (\S+) request .* rid=(crew\w+)$", self.dev.log(),
            re.M))
        return found if rids.keys() <= found.keys() else None

    def ask(self, method, uri, token, body=b""):
        """{worker: Reply}: one request of each, sent before any is read."""
        path, _, query = uri.partition("?")
        said = request(method, uri, body, QUERY_STRING=query,
                       HTTP_AUTHORIZATION=f"Bearer {token}")
        for peer in self.peers.values():
            assert peer.send(said)
        return {worker: peer.reply(method=method, path=path)
                for worker, peer in self.peers.items()}

    def statuses(self, uri, token):
        """What each says, as {(status, code)}."""
        replies = self.ask("GET", uri, token)
        return {(r.status, r.json.get("code")) for r in replies.values()}

    def close(self):
        for peer in self.peers.values():
            peer.close()
