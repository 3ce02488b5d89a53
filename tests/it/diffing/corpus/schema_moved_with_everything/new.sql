create schema a; create schema b;
create type b.e as enum ('x'); create table b.t (id serial primary key, e b.e); create function b.f(b.t) returns b.e language sql as 'select $1.e'; create view b.v as select b.f(t) from b.t t;
