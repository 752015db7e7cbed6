# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command lines of the pages for whoever runs a host, and the test that
runs each. Blocks of `sh` are run as they stand (api/91_docs); all others, and
what stands between backticks, must be in this table."""

import ast
import re
import textwrap

from docket import ROOT

PAGES = ("SECURITY.md", "docs/logs.md", "docs/metrics.md",
         "docs/operations.md", "docs/packages.md", "docs/runbook.md",
         "docs/scale-out.md", "docs/security.md")

# Languages of blocks that are no commands; `sh` is run, `text` is looked up.
DATA = {"conf", "ini", "json", "log", "sql", "yaml"}

# Of several words, and no command: options alone, a setting, a header or a
# request, a sample of /metrics, a form, what PostgreSQL calls a session.
NO_COMMAND = re.compile(
    r"--|[\w.]+ = |[A-Z][\w-]*:? |docket_\w+[ {]|idle in transaction$")

# As it stands there, on a machine with systemd.
BOOTED = "box/70_pages"

APT = ("box/conftest", "apt-get install -y ./docket_*.deb")
SETUP = ("box/conftest", "docket setup --domain docket.example")

# {command: where it is run, and by which words, if not by its own}
RUN = {
    "docketd --version": ("box/30_upgrade", "docketd --version"),

    # the log
    "journalctl -u docket DOCKET_STATUS=500 DOCKET_STATUS=503": BOOTED,
    "journalctl -u docket DOCKET_RID=5f2c0e3a": BOOTED,
    "journalctl -u docket -o json"
    " --output-fields=DOCKET_ROUTE,DOCKET_US": BOOTED,
    "journalctl -x": BOOTED,
    "journalctl -x -u docket -p warning": BOOTED,
    "journalctl MESSAGE_ID=ee8fcb99caf147728b8ef799e7846ff7": BOOTED,
    "journalctl --update-catalog": BOOTED,
    "journalctl -u docket -u docket-courier": BOOTED,
    "journalctl -k": BOOTED,

    # a host
    "./dev deb": ("lib/box", "deb --to"),
    "apt install": APT,
    "apt install ./docket_*.deb ./docket-courier_*.deb": APT,
    "apt install nginx postgresql ./docket_*.deb ./docket-courier_*.deb": APT,
    "apt remove": ("box/90_removal", "apt-get remove -y docket"),
    "apt purge": ("box/90_removal", "apt-get purge -y docket"),
    "dpkg --configure -a": ("box/30_upgrade", "dpkg --configure -a"),
    "dpkg-reconfigure docket": BOOTED,
    "make install": ("api/88_package", "make -C install"),
    "systemd-tmpfiles --create docket.conf": BOOTED,
    "docket setup": SETUP,
    "docket setup --domain NAME": SETUP,
    "docket setup --domain tasks.example.org": SETUP,
    "docket setup --domain tasks.example.org --dry-run":
        ("api/89_setup", "--dry-run"),
    "nginx -t": BOOTED,
    "man docket": ("api/89_manual", "groff -man -Tutf8 -ww -z"),
    "systemd-analyze security docket": BOOTED,
    "mkdir -p /etc/systemd/system/docket.service.d"
    " /etc/systemd/system/docket-gc.service.d": BOOTED,
    "cp /usr/share/docket/systemd/docket.service.d/tcp.conf.example"
    " /etc/systemd/system/docket.service.d/tcp.conf": BOOTED,
    "cp /etc/systemd/system/docket.service.d/tcp.conf"
    " /etc/systemd/system/docket-gc.service.d/": BOOTED,
    "systemctl daemon-reload": BOOTED,
    "systemctl restart docket": BOOTED,
    "systemctl start docket": BOOTED,
    "systemctl restart docket-courier": BOOTED,
    "systemctl status docket": BOOTED,
    "systemctl status docket-courier": BOOTED,
    "systemctl status docket-gc": BOOTED,
    "systemctl status nginx": BOOTED,
    "systemctl list-timers docket-gc.timer": BOOTED,
    "systemctl stop docket.target docket.service docket-courier.service":
        ("box/60_looking_after", None),
    "systemctl start docket.target": ("box/60_looking_after", None),
    "ps -o stat,wchan -p PID": BOOTED,

    # its programs
    "docketd --check": BOOTED,
    "docketd --nginx": ("api/12_metrics", "--nginx"),
    "docketd --settings": ("api/89_manual", "--settings"),
    "docket-courier --check": BOOTED,
    "docket config show --changed": BOOTED,
    "docket migrate": BOOTED,
    "docket migrate status": ("box/30_upgrade", None),
    "docket key generate": BOOTED,
    "docket key rotate": BOOTED,
    "systemctl reload docket": BOOTED,
    "docket top": ("api/13_status", "top --once"),
    "docket doctor": ("box/60_looking_after", "docket doctor --json"),
    "docket queue retry --channel sms": ("api/54_courier", "retry --channel"),
    "docket gc": BOOTED,
    "docket audit tail --event login --since 1h": BOOTED,
    "docket session revoke --user NAME": BOOTED,
    "docket user import": ("api/36_import", "user import"),
    "/usr/bin/sudo /usr/bin/docket doctor":
        ("box/60_looking_after", "docket doctor --json"),
    "docket backup /var/backups/docket/$(date +\\%F)":
        ("box/60_looking_after", "docket backup /root/backup"),
    "docket restore /var/backups/docket/2026-01-31 --replace --keys":
        ("box/60_looking_after", "docket restore /root/backup --replace"
         " --keys"),
    "docket restore /var/backups/docket/2026-01-31 --replace --keys"
    " --dry-run": ("api/89_backup", "--replace --dry-run"),

    # more than one
    "DEV_POOLER=transaction ./dev run": ("fault/35_pooler", "transaction"),
    "DOCKET_DATABASE_DSN='host=10.0.0.5 ...' docket gc":
        ("api/91_commands", "DOCKET_DATABASE_DSN"),
    "pg_ctl promote": ("lib/standby", "SELECT pg_promote(true, 60)"),
}

# What no test can run, and why.
NOT_RUN = {
    "certbot certonly --webroot -w /var/www/html -d tasks.example.org"
    " --deploy-hook 'systemctl reload nginx'":
        "it needs an authority and a name that the internet knows; its proof"
        " (box/10_install) and its folder (api/89_setup) are tried",
    "./dev test": "this very run",
    "./dev test --long": "this very run",
}


def blocks(text):
    """[(language, text)] of each fenced block, and what is around them."""
    fence = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
    return ([(m[2], m[3]) for m in fence.finditer(text)],
            fence.sub("", text))


def lines(block):
    """The commands of a block, without comments."""
    for line in block.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#\s.*", "", line)
        for one in line.split(" && "):
            if one.split():
                yield " ".join(one.split())


def between_backticks(text):
    for found in re.findall(r"`([^`]+)`", text):
        one = " ".join(found.split())
        if " " in one and not NO_COMMAND.match(one):
            yield one.removeprefix("command_line ")


def of(text):
    """What a page tells to do that is in none of its `sh` blocks."""
    fenced, rest = blocks(text)
    done = [line for language, block in fenced if language == "sh"
            for line in lines(block)]
    told = [line for language, block in fenced if language == "text"
            for line in lines(block)]
    told += between_backticks(rest)
    return [one for one in dict.fromkeys(told) if not any(
        re.match(re.escape(one) + r"($| [|>&])", line) for line in done)]


def page(name):
    return (ROOT / name).read_text()


def data(name, language):
    """What a page says in blocks of a language, each at the margin."""
    return [textwrap.dedent(block) for its, block in blocks(page(name))[0]
            if its == language]


def booted():
    """Those that box/70_pages runs, in the order of the table."""
    return [one for one, where in RUN.items() if where == BOOTED]


def said_by(file):
    """The words that a test's file gives to programs: its strings, and those
    that stand beside each other in a call or a list."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        parts = node.args if isinstance(node, ast.Call) else \
            getattr(node, "elts", [node])
        found.append(" ".join(
            one.value for one in parts if isinstance(one, ast.Constant)
            and isinstance(one.value, str)))
    return found
