# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages under docs/ keep their word: their shell blocks are run."""

import re

import pytest

import tour
from docket import ROOT

pytestmark = pytest.mark.plain

PAGES = sorted((ROOT / "docs").glob("*.md"))
RUN = [page for page in PAGES if tour.blocks(page.read_text(), "sh")]


def stems(pages):
    return [page.stem for page in pages]


@pytest.fixture
def tools(dev, tmp_path):
    return tour.command(dev, tmp_path)


@pytest.mark.parametrize("page", RUN, ids=stems(RUN))
def test_a_page_is_run(dev, tools, page):
    tour.run(dev, tour.blocks(page.read_text(), "sh"), tools)


def anchors(path):
    """Of its headings, as those who show pages make them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-")
            for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=stems(PAGES))
def test_links_lead_to_a_heading(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)",
                                     page.read_text()):
        assert anchor in anchors(page.parent / target if target else page), \
            f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=stems(PAGES))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
