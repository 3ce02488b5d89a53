create schema a;
create schema b;
create table a.t (x int);
create function b.f() returns setof a.t language sql as 'select * from a.t';
create view a.v as select x from b.f();
create function b.g() returns setof a.v language sql as 'select * from a.v';
create view b.w as select x from b.g();
