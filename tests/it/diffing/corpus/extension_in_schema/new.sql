create schema s;
create extension citext schema s;
create table t (a s.citext);
comment on extension citext is 'c';
