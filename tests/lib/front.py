# SPDX-License-Identifier: AGPL-3.0-or-later
"""nginx alone, with Docket's rules and nothing behind it: one answer to all
that it is asked, and whoever asks says from where."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile

import docket
import fastcgi

CONF = """
daemon off; pid {0}/pid; error_log {0}/error.log;
events {{ }}
http {{
	access_log off;
	client_body_temp_path {0}/a; fastcgi_temp_path {0}/b;
	proxy_temp_path {0}/c; scgi_temp_path {0}/d; uwsgi_temp_path {0}/e;
	set_real_ip_from unix:; real_ip_header X-Address;
	include {1}/nginx/docket-http.conf;
	{2}
	server {{ listen unix:{0}/sock; return 200 "{3}"; }}
}}
"""


class Front:
    def __init__(self, place):
        self.sock = place / "sock"

    def ask(self, path, address=None):
        """The body of its answer, as bytes."""
        header = f"X-Address: {address}\r\n" if address else ""
        with fastcgi.Peer(str(self.sock)) as peer:
            peer.send(f"GET {path} HTTP/1.0\r\n{header}\r\n".encode())
            said = b""
            while more := peer.socket.recv(4096):
                said += more
        return said.partition(b"\r\n\r\n")[2]

    def up(self):
        try:
            return bool(self.ask("/"))
        except OSError:
            return False


@contextlib.contextmanager
def alone(answer, routes=b""):
    """A Front that answers with that text of nginx's variables; routes is
    what docketd --nginx said, where they need it."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="docket-nginx-",
                                          dir="/var/tmp"))
    (place / "routes").write_bytes(routes)
    (place / "conf").write_text(CONF.format(
        place, docket.ROOT, f"include {place}/routes;", answer))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    process = subprocess.Popen([nginx, "-p", place, "-c", place / "conf"],
                               stderr=subprocess.PIPE)
    front = Front(place)
    try:
        docket.wait_until(front.up, "nginx")
        yield front
    finally:
        process.terminate()
        process.communicate(timeout=20)
        shutil.rmtree(place)
