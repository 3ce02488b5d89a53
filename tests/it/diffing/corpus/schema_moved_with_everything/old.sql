create schema a; create schema b;
create type a.e as enum ('x'); create table a.t (id serial primary key, e a.e); create function a.f(a.t) returns a.e language sql as 'select $1.e'; create view a.v as select a.f(t) from a.t t;
