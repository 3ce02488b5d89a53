create type c as (a bigint, d text collate "C");
comment on column c.a is 'a';
