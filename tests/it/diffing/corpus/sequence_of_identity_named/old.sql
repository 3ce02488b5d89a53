create table t (a int generated always as identity (sequence name x));
