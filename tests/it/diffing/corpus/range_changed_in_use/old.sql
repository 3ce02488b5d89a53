create type r as range (subtype = float8); create table t (x r, y r[], exclude using gist (x with &&)); create view v as select lower(x) as l from t;
