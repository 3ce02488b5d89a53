create aggregate ag (int) (sfunc = int4pl, stype = int);
create view v as select ag(x) from generate_series(1, 3) x;
