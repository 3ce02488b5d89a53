create type e as enum ('c', 'a'); create type r as range (subtype = e); create table t (x r, exclude using gist (x with &&));
create function fs(e, e) returns e language sql as 'select $1'; create aggregate ag(e) (sfunc = fs, stype = e, initcond = 'a'); create view v as select ag(lower(x)) from t;
