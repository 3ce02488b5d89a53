create type size as enum ('small', 'large');
create table things (
    a int,
    b int generated always as (a * 2) stored,
    c text generated always as ('1') stored,
    d size generated always as (case when a > 1 then 'small'::size else 'large'::size end) stored
);
create index on things (b, c);
create view seen as select b, c, d from things;
