/* SPDX-License-Identifier: Apache-2.0 */
#include "report/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "run-sample.h"

enum { ROWS = 60, COLUMNS = 100 };

/* As much of a terminal as the view uses: text, newline, cursor up, erase to the end. */
typedef struct Screen {
    char cells[ROWS][COLUMNS + 1];
    size_t row, column;
} Screen;

static void screen_sequence(Screen *screen, const char *sequence, size_t len)
{
    unsigned n = 0;
    if (sequence[len - 1] == 'A') {
        assert_int_equal(sscanf(sequence, "\033[%uA", &n), 1);
        assert_true(n <= screen->row);
        screen->row -= n;
    } else if (sequence[len - 1] == 'J') {
        for (size_t row = screen->row; row < ROWS; row++)
            memset(screen->cells[row] + (row == screen->row ? screen->column : 0), 0, 1);
    }
}

static void screen_write(Screen *screen, const char *text)
{
    while (*text) {
        if (*text == '\033') {
            size_t len = 2 + strspn(text + 2, "0123456789;") + 1;
            screen_sequence(screen, text, len);
            text += len;
            continue;
        }
        if (*text == '\n')
            screen->row++, screen->column = 0;
        else if (*text == '\r')
            screen->column = 0;
        else {
            assert_true(screen->column + 1 < COLUMNS);
            screen->cells[screen->row][screen->column++] = *text;
            screen->cells[screen->row][screen->column] = 0;
        }
        assert_true(screen->row < ROWS);
        text++;
    }
}

static void feed(LiveView *view, Screen *screen, size_t n_events, size_t columns)
{
    for (size_t i = 0; i < n_events; i++) {
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(100000);
        live_event(view, &sample_events[i], columns, &out);
        screen_write(screen, strbuf_str(&out));
    }
}

static void status_lines_are_redrawn_below_what_scrolls(void **state)
{
    static Screen screen;
    LiveView view = {.text = {.detail = TEXT_NORMAL}};
    feed(&view, &screen, 12, COLUMNS);
    assert_string_equal(screen.cells[0], "    0.0s  baselining");
    assert_string_equal(screen.cells[5], "    1.1s  verifying");
    assert_string_equal(screen.cells[6], "   31.0s    fail  health: p95 812ms > 500ms (24 samples)");
    assert_string_equal(screen.cells[7], "   31.0s  verifying  [############            ] 30s of 1min");
    assert_string_equal(
        screen.cells[8],
        "            health    fail          812ms     1 sample, bad 1  p95 812ms > 500ms (24 samples)");
    assert_int_equal(screen.row, 9);
}

static void the_end_leaves_only_the_lines(void **state)
{
    static Screen screen;
    LiveView view = {.text = {.detail = TEXT_NORMAL}};
    feed(&view, &screen, ARRAY_LEN(sample_events), COLUMNS);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(100000);
    live_end(&view, COLUMNS, &out);
    assert_string_equal(strbuf_str(&out), "");
    assert_string_equal(screen.cells[8], "   33.0s  rolled-back: health: p95 812ms > 500ms");
    assert_string_equal(screen.cells[9], "");
}

static void a_narrow_terminal_gets_clipped_status_lines(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(100000);
    LiveView view = {.text = {.detail = TEXT_NORMAL}};
    for (size_t i = 0; i < 10; i++)
        live_event(&view, &sample_events[i], 30, &out);
    assert_non_null(strstr(strbuf_str(&out), "\xe2\x80\xa6\n"));
    for (size_t i = 0; i < view.n_drawn; i++)
        assert_true(view.drawn[i] < 30);
    /* Made narrower, the drawn lines take more rows, and all of them are wiped. */
    strbuf_clear(&out);
    size_t rows = 0;
    for (size_t i = 0; i < view.n_drawn; i++)
        rows += (view.drawn[i] + 9) / 10;
    char expected[40];
    snprintf(expected, sizeof expected, "\033[%zuA\r\033[J", rows);
    live_event(&view, &sample_events[10], 10, &out);
    assert_true(str_starts(strbuf_str(&out), expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_lines_are_redrawn_below_what_scrolls),
        cmocka_unit_test(the_end_leaves_only_the_lines),
        cmocka_unit_test(a_narrow_terminal_gets_clipped_status_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
