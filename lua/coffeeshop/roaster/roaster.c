#include <stdio.h>
#include <stdlib.h>

#include <beans.h>

int main(int argc, char **argv)
{
    double grams = argc > 1 ? strtod(argv[1], NULL) : 250.0;
    unsigned minutes = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 12;

    printf("%.0f g of beans %s, roasted for %u minutes: %.1f g\n", grams, BEANS_VERSION, minutes,
           beans_roasted(grams, minutes));
    return 0;
}
