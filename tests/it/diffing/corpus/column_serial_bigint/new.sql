create table t (a bigserial);
