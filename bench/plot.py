# SPDX-License-Identifier: AGPL-3.0-or-later
"""The figures as an SVG: CPU a request with the floor F, and the share of the
ceiling C. Readable on light and dark paper."""

from xml.sax.saxutils import escape

from measure import median, ratio, ratios, floor

WIDTH, LEFT, RIGHT = 760, 90, 110
BAR, GAP, TOP = 22, 14, 58
PARTS = (("front", "nginx"), ("app", "docketd"), ("pg", "PostgreSQL"))
STYLE = """
	text { font: 13px sans-serif; fill: #1f2328; }
	.title { font-weight: bold; }
	.small { font-size: 11px; }
	.front { fill: #4c8bf5; } .app { fill: #e8873a; } .pg { fill: #58a55c; }
	.share { fill: #8a63d2; }
	.line { stroke: #1f2328; stroke-width: 2; }
	.axis { stroke: #8c959f; stroke-width: 1; }
	@media (prefers-color-scheme: dark) {
		text { fill: #e6edf3; }
		.line { stroke: #e6edf3; }
	}
"""


class Drawing:
    def __init__(self):
        self.parts, self.y = [], 0

    def text(self, x, y, words, css="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{css}"'
                          f' text-anchor="{anchor}">{escape(words)}</text>')

    def box(self, x, y, width, css, title, height=BAR):
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}"'
            f' height="{height}" class="{css}"><title>{escape(title)}'
            "</title></rect>")

    def line(self, x, y0, y1, css):
        self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y0:.1f}"'
                          f' y2="{y1:.1f}" class="{css}"/>')

    def svg(self, title):
        body = "\n".join(self.parts)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" role="img"'
                f' viewBox="0 0 {WIDTH} {self.y}" width="{WIDTH}"'
                f' height="{self.y}">\n<title>{escape(title)}</title>\n'
                f"<style>{STYLE}</style>\n{body}\n</svg>\n")


def legend(drawing, y):
    x = LEFT
    for css, name in PARTS:
        drawing.box(x, y - 10, 12, css, name, 12)
        drawing.text(x + 17, y, name, "small")
        x += 105
    drawing.line(x, y - 12, y + 4, "line")
    drawing.text(x + 8, y, "F: the least with nginx and PostgreSQL", "small")


def cpu_panel(drawing, plotted):
    drawing.text(LEFT, drawing.y + 20, "CPU time a request, microseconds",
                 "title")
    legend(drawing, drawing.y + 42)
    y = drawing.y + TOP
    largest = max(median(rows["docket"], "cpu") for rows in plotted.values())
    scale = (WIDTH - LEFT - RIGHT) / max(largest, 1e-9)
    for name, rows in plotted.items():
        x = LEFT
        drawing.text(LEFT - 8, y + 16, name, anchor="end")
        for css, part in PARTS:
            value = median(rows["docket"], css)
            drawing.box(x, y, value * scale, css, f"{part}: {value:.0f} us")
            x += value * scale
        least = ratio((rows["nginx"], rows["sql"]), floor)
        drawing.line(LEFT + least * scale, y - 4, y + BAR + 4, "line")
        drawing.text(x + 8, y + 16, f"{median(rows['docket'], 'cpu'):.0f}"
                     f" = {ratios(rows)['cpu_f']:.2f} F", "small")
        y += BAR + GAP
    drawing.line(LEFT, drawing.y + TOP - 4, y - GAP + 4, "axis")
    drawing.y = y


def share_panel(drawing, plotted):
    drawing.text(LEFT, drawing.y + 26,
                 "Requests a second, as a share of the ceiling C", "title")
    y = drawing.y + 42
    scale = WIDTH - LEFT - RIGHT
    for name, rows in plotted.items():
        value = ratios(rows)["rps_c"]
        drawing.text(LEFT - 8, y + 16, name, anchor="end")
        drawing.box(LEFT, y, min(value, 1) * scale, "share", f"{value:.2f}")
        drawing.text(LEFT + min(value, 1) * scale + 8, y + 16,
                     f"{100 * value:.0f} %:"
                     f" {median(rows['docket'], 'rps'):.0f}/s", "small")
        y += BAR + GAP
    drawing.line(LEFT + scale, drawing.y + 38, y - GAP + 4, "line")
    drawing.text(LEFT + scale, y + 4, "C", "small", "middle")
    drawing.line(LEFT, drawing.y + 38, y - GAP + 4, "axis")
    drawing.y = y + 14


def svg(figures):
    """None when no workload was measured with its ceilings."""
    plotted = {name: rows for name, rows in figures["rows"].items()
               if ratios(rows)}
    if not plotted:
        return None
    drawing = Drawing()
    cpu_panel(drawing, plotted)
    share_panel(drawing, plotted)
    return drawing.svg("Docket: CPU a request and requests a second beside"
                       " what nginx and PostgreSQL take")
