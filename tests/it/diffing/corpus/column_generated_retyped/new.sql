create type size as enum ('large', 'small');
create table things (
    a int,
    b bigint generated always as (a * 2) stored,
    c int generated always as ('1') stored,
    d size generated always as (case when a > 1 then 'small'::size else 'large'::size end) stored
);
create index on things (b, c);
create view seen as select b, c, d from things;
