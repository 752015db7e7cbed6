# SPDX-License-Identifier: AGPL-3.0-or-later
"""An instance for a test alone: started by ./dev, its state thrown away."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import docket

# What the dev profile has turned off or on, as production has it.
PRODUCTION = (
    "profile=production", "otp.echo=off", "sample_routes=off",
    "limits.otp_sends_client=10", "limits.requests_client=20",
    "limits.auth_client=2", "limits.requests_user=600",
    "limits.requests_anonymous=120", "limits.checks_user=6000",
    "limits.refreshes_session=60",
    "limits.login_client=10", "limits.otp_verify_client=30",
    "limits.otp_prefix_hour=50", "limits.otp_sms_hour=300",
    "limits.otp_email_hour=1000", "limits.otp_anomaly=deny")


# What the service refuses because it comes late is no answer that a test of
# something else wants, on a machine that stands still for a second; the suite's
# own instance is as patient (dev.d/test.sh). All below what nginx waits for.
PATIENT = ("server.shed_ms=5000", "server.deadline_ms=9000",
           "database.lock_ms=2000")


@contextlib.contextmanager
def running(*settings, prompt=False, **more):
    """A docket.Dev; settings are "section.key=value", @SOCKETS@ in them is
    the folder of the sockets; prompt: with the limits of time that ship; more
    is for ./dev's environment."""
    directory = tempfile.mkdtemp(prefix="docket-own-", dir="/var/tmp")
    os.chmod(directory, 0o755)
    state = os.path.join(directory, "dev")
    environment = {**os.environ, "DEV_DIR": state,
                   "DEV_PORT": str(docket.free_port()), **more}
    all_of_them = (*PATIENT * (not prompt), *settings)
    words = [word for one in all_of_them for word in (
        "--set", one.replace("@SOCKETS@", os.path.join(state, "sock")))]
    try:
        run_dev(environment, "run", "--detach", *words)
        yield docket.Dev(state)
    finally:
        run_dev(environment, "stop")
        shutil.rmtree(directory, ignore_errors=True)


def run_dev(environment, *arguments):
    done = subprocess.run([docket.ROOT / "dev", *arguments], text=True,
                          env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600)
    assert done.returncode == 0, done.stdout
