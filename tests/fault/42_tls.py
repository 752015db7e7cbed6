# SPDX-License-Identifier: AGPL-3.0-or-later
"""What testssl finds in the TLS of the shipped nginx snippets: nothing that
matters, and no protocol but 1.2 and 1.3."""

import json
import shutil
import subprocess

import pytest

pytestmark = [pytest.mark.long, pytest.mark.skipif(
    not shutil.which("testssl"), reason="no testssl here")]

BAD = {"MEDIUM", "HIGH", "CRITICAL"}

# An authority of our own publishes nothing and revokes nothing.
OURS = {"cert_revocation", "DNS_CAArecord", "certificate_transparency"}


@pytest.fixture(scope="module")
def found(own, tmp_path_factory):
    """{what: finding}, whole."""
    out = tmp_path_factory.mktemp("testssl") / "out.json"
    subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "off",
         "--ip", "127.0.0.1", "--add-CA", str(own.dir / "ca.pem"),
         "--jsonfile", str(out), f"https://localhost:{own.port}/"],
        capture_output=True, timeout=900, check=False,
        stdin=subprocess.DEVNULL)
    return {one["id"]: one for one in json.loads(out.read_text())}


def test_nothing_of_weight(found):
    bad = {name: (one["severity"], one["finding"])
           for name, one in found.items() if one["severity"] in BAD}
    print(f"score: testssl: {len(found)} findings; of weight: {bad}")
    assert len(found) > 60
    assert not {name: one for name, one in bad.items()
                if name.partition(" ")[0] not in OURS}


def test_protocols(found):
    said = {name: found[name]["finding"] for name in
            ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")}
    assert {name for name, text in said.items()
            if text.startswith("offered")} == {"TLS1_2", "TLS1_3"}, said
    assert found["PFS"]["severity"] == "OK"
    assert found["cert_chain_of_trust"]["finding"].startswith("passed"), \
        found["cert_chain_of_trust"]
    print("score: testssl: overall grade",
          found.get("overall_grade", {}).get("finding"))


def test_what_it_knows_by_name(found):
    """Each hole of its list is told of, and told to be shut."""
    for name in ("heartbleed", "CCS", "ticketbleed", "ROBOT", "CRIME_TLS",
                 "POODLE_SSL", "SWEET32", "FREAK", "DROWN", "LOGJAM",
                 "BEAST", "LUCKY13", "RC4", "BREACH"):
        assert found[name]["severity"] in ("OK", "INFO"), found[name]
