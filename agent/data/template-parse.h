/* SPDX-License-Identifier: Apache-2.0 */
/* The parsed form of a template, shared by its parser and its renderer. */
#pragma once

#include "data/template.h"

typedef enum PartKind {
    PART_TEXT,     /* bytes as they are; at most one line, with its end */
    PART_VALUE,    /* {{ name }} */
    PART_RAW,      /* {{{ name }}}, {{& name }} */
    PART_SECTION,  /* {{# name }} */
    PART_INVERTED, /* {{^ name }} */
    PART_PARTIAL,  /* {{> name }} */
} PartKind;

typedef struct Part {
    PartKind kind;
    bool line_start;    /* begins a line of output: where a partial's indentation goes */
    Pos pos;            /* of the tag */
    Bytes text;         /* PART_TEXT */
    const char *name;   /* the others */
    const char *indent; /* PART_PARTIAL that stands alone on its line: the blanks before it */
    size_t end;         /* sections: the index behind their last part */
} Part;

struct Template {
    const char *name;
    const char *escape;
    VEC(Part) parts; /* in the order of the text; a section's parts follow it */
};
