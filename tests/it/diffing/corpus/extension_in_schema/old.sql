create schema s;
create extension citext;
create table t (a citext);
