#include "beans.h"

double beans_roasted(double grams, unsigned minutes)
{
    /* A bean loses about one part in a hundred each minute, and never more than a quarter. */
    double loss = minutes < 25 ? 0.01 * minutes : 0.25;
    return grams * (1.0 - loss);
}
