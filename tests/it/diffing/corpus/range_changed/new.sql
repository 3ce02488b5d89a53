create type r as range (subtype = bigint, multirange_type_name = mr);
create table t (a r, b r[]);
create table u (a mr);
