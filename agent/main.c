/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int main(void)
{
    fprintf(stderr, "salve: no command given; try: salve --help\n");
    return 2;
}
