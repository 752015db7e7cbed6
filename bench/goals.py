# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the figures shall be: (must, good, near the limit) a figure."""

# cpu/F, rps/C
WORKLOADS = {
    "list": ((2.6, 2.1, 1.8), (.45, .55, .61)),
    "get": ((2.8, 2.3, 2.0), (.42, .52, .58)),
    "status": ((2.0, 1.7, 1.55), (.62, .72, .80)),
    "create": ((1.9, 1.65, 1.5), (.65, .75, .82)),
    "mix": ((2.5, 2.2, 2.0), (.55, .63, .70)),
}
FAIR = (2, 1.2, 1.02)		# busiest client : idlest
MEMORY = (3, 1, .6)		# MiB a worker, loaded
LOGIN = (1.1, 1.03, 1.0)	# CPU of a login : of its hash alone
BESIDE = (5, 3, 2)		# p99 of get beside logins : without

# Docket's CPU a request : theirs; its requests a second : theirs.
OTHERS_CPU = {
    "go": {"list": (.75, .6, .5), "get": (.9, .75, .63),
           "status": (.9, .8, .7), "create": (.9, .8, .7),
           "mix": (.9, .75, .68)},
}
OTHERS_RPS = {
    "go": {"list": (1.4, 1.7, 1.8), "get": (1.15, 1.3, 1.4),
           "status": (1.15, 1.3, 1.4), "create": (1.15, 1.3, 1.4),
           "mix": (1.15, 1.3, 1.4)},
    "fastapi-tuned": {"list": (4, 5, 5.7), "get": (4, 5, 5.7),
                      "status": (3, 3.5, 3.8), "create": (3, 3.5, 3.8),
                      "mix": (3, 3.8, 4.2)},
    "fastapi": {"list": (10, 14, 17), "get": (4, 4.5, 5),
                "status": (4, 4.5, 5), "create": (4, 4.5, 5),
                "mix": (4, 4.5, 5)},
}

NAMES = ("must", "good", "near the limit")


def grade(value, goal, least=False):
    """The best of the three that a value reaches; "missed" without any.
    least: the value shall be at least that, else at most. It is judged as it
    is shown, with two digits."""
    shown, reached = round(value, 2), "missed"
    for name, limit in zip(NAMES, goal):
        if shown >= limit if least else shown <= limit:
            reached = name
    return reached
