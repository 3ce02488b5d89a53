create aggregate f(int) (sfunc = int4pl, stype = int);
