/* Beans: how much they weigh before and after roasting. */
#ifndef BEANS_H
#define BEANS_H

#define BEANS_VERSION "1.2.0"

/* The weight that is left of so many grams, after roasting for some minutes. */
double beans_roasted(double grams, unsigned minutes);

#endif
