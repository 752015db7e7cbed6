/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket top: what each worker does, each second. */
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/scrape.h"

#define EVERY_MS 1000
#define ROWS_MAX 512

/* ECMA-48: another screen, no cursor; home; the rest of the line, of the
 * screen; all of it back. */
#define SCREEN_ON "\033[?1049h\033[?25l"
#define SCREEN_OFF "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define LINE_REST "\033[K"
#define SCREEN_REST "\033[J"

/* One worker, as two looks show it. */
struct row {
	struct text name, state, operation;
	int pid;
	double busy_s, age_s, served;
	double rate;		/* requests a second; NAN at first */
	double cpu;		/* share of a core; NAN */
	long pss_kib;		/* -1: only root may see it */
	int64_t ticks;		/* CPU time so far, -1: not seen */
};

struct top {
	const struct settings *settings;
	bool live;
	struct row rows[ROWS_MAX], before[ROWS_MAX];
	size_t n, n_before;
	int64_t at_ms, before_ms;
	struct scrape scrape;
	const char *why;	/* nobody told anything */
};

static volatile sig_atomic_t ended;

static void
end(int signo)
{
	(void)signo;
	ended = 1;
}

/* ---- looking ---- */

/* User and system time in clock ticks (proc(5)); what stands before them may
 * hold blanks, up to the last parenthesis. */
static int64_t
cpu_ticks(int pid)
{
	char path[48], line[1024] = "", *at;
	uint64_t user, system;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	at = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
	if (!at || sscanf(at + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s"
	    " %*s %" SCNu64 " %" SCNu64, &user, &system) != 2)
		return -1;
	return (int64_t)(user + system);
}

static long
pss_kib(int pid)
{
	char path[48], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, "Pss:", 4) == 0)
			kib = strtol(line + 4, NULL, 10);
	fclose(f);
	return kib;
}

static double
of_worker(const struct scrape *scrape, const char *family, struct text name)
{
	char label[64];

	snprintf(label, sizeof(label), "worker=\"%.*s\"", TEXT_FMT(name));
	return scrape_sum(scrape, family, label);
}

static void
compare(struct row *row, const struct row *before, double seconds)
{
	if (before->pid != row->pid || seconds <= 0)
		return;
	row->rate = (row->served - before->served) / seconds;
	if (row->ticks >= 0 && before->ticks >= 0)
		row->cpu = (double)(row->ticks - before->ticks) /
		    (double)sysconf(_SC_CLK_TCK) / seconds;
}

static void
take_row(struct top *top, const struct sample *s)
{
	struct row *row = &top->rows[top->n++];
	struct text pid = scrape_label(s, "pid");

	*row = (struct row){
		.name = scrape_label(s, "worker"),
		.state = scrape_label(s, "state"),
		.operation = scrape_label(s, "operation"),
		/* It stands in quotes, which end it. */
		.pid = pid.s ? (int)strtol(pid.s, NULL, 10) : 0,
		.busy_s = s->value,
		.rate = NAN, .cpu = NAN, .pss_kib = -1, .ticks = -1,
	};
	row->age_s = of_worker(&top->scrape, "docket_worker_age_seconds",
	    row->name);
	row->served = of_worker(&top->scrape, "docket_worker_requests_total",
	    row->name);
	if (row->pid > 0) {
		row->ticks = cpu_ticks(row->pid);
		row->pss_kib = pss_kib(row->pid);
	}
	for (size_t i = 0; i < top->n_before; i++)
		if (text_equal(top->before[i].name, row->name))
			compare(row, &top->before[i],
			    (double)(top->at_ms - top->before_ms) / 1000);
}

/* Whichever group answers tells of both. */
static const char *
ask_either(const struct settings *settings, struct buf *ret)
{
	const char *why = cli_ask(settings->server_socket,
	    "/metrics?workers=true", ret);

	if (!why || !*settings->server_auth_socket)
		return why;
	return cli_ask(settings->server_auth_socket, "/metrics?workers=true",
	    ret) ? why : NULL;
}

/* Texts of the look before live in the other arena. */
static void
look(struct top *top, struct arena *mem)
{
	struct buf body = { 0 };

	arena_reset(mem);
	memcpy(top->before, top->rows, sizeof(top->before));
	top->n_before = top->n;
	top->before_ms = top->at_ms;
	top->n = 0;
	top->scrape.n = 0;
	top->why = ask_either(top->settings, &body);
	if (!top->why) {
		scrape_parse(mem, arena_text(mem, buf_view(&body)),
		    &top->scrape);
		top->at_ms = top->scrape.at_ms;
	}
	buf_done(&body);
	for (size_t i = 0; i < top->scrape.n && top->n < ROWS_MAX; i++)
		if (text_is(top->scrape.v[i].name,
		    "docket_worker_busy_seconds"))
			take_row(top, &top->scrape.v[i]);
}

/* ---- showing ---- */

static void
line_end(const struct top *top)
{
	fputs(top->live ? LINE_REST "\n" : "\n", stdout);
}

static void
show_head(const struct top *top)
{
	double rate = 0;

	for (size_t i = 0; i < top->n; i++)
		rate += top->rows[i].rate > 0 ? top->rows[i].rate : 0;
	if (top->why)
		printf("docketd does not answer: %s", top->why);
	else
		printf("%zu workers, %.0f busy, %.0f hung, %.1f requests a "
		    "second", top->n, scrape_sum(&top->scrape,
		    "docket_workers", "state=\"busy\""),
		    scrape_sum(&top->scrape, "docket_workers",
		    "state=\"hung\""), rate);
	line_end(top);
	printf("%-9s %7s %-9s %-22s %8s %8s %9s %5s %8s", "WORKER", "PID",
	    "STATE", "OPERATION", "FOR ms", "AGE s", "REQUESTS", "CPU%",
	    "PSS KiB");
	line_end(top);
}

static void
show_row(const struct top *top, const struct row *r)
{
	printf("%-9.*s %7d %-9.*s %-22.*s %8.0f %8.0f %9.0f ",
	    TEXT_FMT(r->name), r->pid, TEXT_FMT(r->state),
	    r->operation.n > 22 ? 22 : (int)r->operation.n,
	    r->operation.s ? r->operation.s : "", r->busy_s * 1000, r->age_s,
	    r->served);
	if (isnan(r->cpu))
		printf("%5s ", "-");
	else
		printf("%5.0f ", r->cpu * 100);
	if (r->pss_kib < 0)
		printf("%8s", "-");
	else
		printf("%8ld", r->pss_kib);
	line_end(top);
}

/* As many rows as the screen has room for. */
static size_t
room(const struct top *top)
{
	struct winsize size = { 0 };

	if (!top->live || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
	    size.ws_row < 4)
		return top->n;
	return size.ws_row - 3u < top->n ? size.ws_row - 3u : top->n;
}

static void
show(const struct top *top)
{
	size_t n = room(top);

	if (top->live)
		fputs(HOME, stdout);
	show_head(top);
	for (size_t i = 0; i < n; i++)
		show_row(top, &top->rows[i]);
	if (top->live)
		fputs(SCREEN_REST, stdout);
	fflush(stdout);
}

/* ---- the terminal ---- */

/* Until the next look is due; true: q was pressed, or nobody is there. */
static bool
wait_key(void)
{
	const int64_t due = clock_mono_ms() + EVERY_MS;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left;
	char c;

	while (!ended && (left = due - clock_mono_ms()) > 0)
		if (poll(&p, 1, (int)left) > 0 &&
		    (read(STDIN_FILENO, &c, 1) != 1 || c == 'q' || c == 'Q'))
			return true;
	return ended;
}

static void
run_live(struct top *top, struct arena *const mem[2])
{
	const struct sigaction action = { .sa_handler = end };
	struct termios before, raw;
	int turn = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	tcgetattr(STDIN_FILENO, &before);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(SCREEN_ON, stdout);
	do {
		look(top, mem[turn ^= 1]);
		show(top);
	} while (!wait_key());
	fputs(SCREEN_OFF, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

int
cli_top(struct cli *cli)
{
	static struct top top;
	struct arena *mem[2] = { arena_new(65536), arena_new(65536) };

	if (!mem[0] || !mem[1])
		return EX_OSERR;
	top.settings = &cli->settings;
	top.live = !cli_has(cli, OPT_once) && isatty(STDIN_FILENO) &&
	    isatty(STDOUT_FILENO);
	if (top.live) {
		run_live(&top, mem);
	} else {
		look(&top, mem[0]);
		show(&top);
	}
	arena_free(mem[0]);
	arena_free(mem[1]);
	return !top.live && top.why ? EX_UNAVAILABLE : 0;
}
