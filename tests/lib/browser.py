# SPDX-License-Identifier: AGPL-3.0-or-later
"""A headless Chromium, driven over a pipe (Chrome DevTools Protocol)."""

import base64
import contextlib
import hashlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import docket
from cryptography import x509
from cryptography.hazmat.primitives import serialization


def found():
    for name in ("chromium-headless-shell", "chromium"):
        if path := shutil.which(name):
            return path
    return None


def spki(pem):
    """The one certificate that it takes without knowing the authority."""
    key = x509.load_pem_x509_certificate(pem).public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


class Browser:
    """One page in a profile of its own."""

    def __init__(self, process, to, back):
        self.process, self.to, self.back = process, to, back
        self.number, self.rest, self.session = 0, b"", None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call(
            "Target.attachToTarget", targetId=target["targetId"],
            flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")

    def message(self, seconds=30 * docket.SLOW):
        end = time.monotonic() + seconds
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.back], [], [], left)[0], \
                "the browser says nothing"
            more = os.read(self.back, 1 << 20)
            assert more, "the browser has ended"
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **parameters):
        self.number += 1
        said = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            said["sessionId"] = self.session
        os.write(self.to, json.dumps(said).encode() + b"\0")
        while (reply := self.message()).get("id") != self.number:
            self.events.append(reply)
        assert "error" not in reply, f"{method}: {reply['error']}"
        return reply["result"]

    def run(self, script):
        said = self.call("Runtime.evaluate", expression=script,
                         returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def go(self, url):
        self.call("Page.navigate", url=url)

    def until(self, script, what, seconds=20):
        """A page that changes answers nothing for a moment."""
        def ready():
            try:
                return self.run(script)
            except AssertionError:
                return None

        return docket.wait_until(ready, what, seconds * docket.SLOW)

    def type(self, selector, text):
        self.run(f"document.querySelector('{selector}').focus()")
        self.call("Input.insertText", text=text)

    def key(self, name, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name,
                      windowsVirtualKeyCode=code, text="\r"
                      if name == "Enter" and kind == "keyDown" else "")

    def light(self, scheme, width=800):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=640, deviceScaleFactor=1, mobile=False)

    def picture(self, path):
        data = self.call("Page.captureScreenshot")["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self):
        """What its console was told: a policy broken, a script failed; not
        what it merely mentions, such as a focus that came too late."""
        self.run("1")
        return [event["params"] for event in self.events
                if event.get("method") in ("Log.entryAdded",
                                           "Runtime.exceptionThrown")
                and event["params"].get("entry", {}).get("level") != "info"]

    def asked(self):
        """The addresses that it went to."""
        self.run("1")
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]


def removed(path):
    shutil.rmtree(path, ignore_errors=True)
    return not os.path.exists(path)


@contextlib.contextmanager
def browser(certificate):
    profile = tempfile.mkdtemp(prefix="docket-browser-", dir="/var/tmp")
    theirs, to = os.pipe()
    back, ours = os.pipe()

    def pipes():
        """It reads from 3 and writes to 4."""
        a, b = os.dup(theirs), os.dup(ours)
        os.dup2(a, 3)
        os.dup2(b, 4)

    process = subprocess.Popen(
        [found(), "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-dev-shm-usage", "--remote-debugging-pipe",
         "--no-first-run", "--disable-background-networking",
         f"--user-data-dir={profile}",
         "--ignore-certificate-errors-spki-list=" + spki(certificate)],
        preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs)
    os.close(ours)
    try:
        yield Browser(process, to, back)
    finally:
        os.close(to)
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(120)
        os.close(back)
        # Its children still write for a moment.
        docket.wait_until(lambda: removed(profile), "the profile's end", 20)
