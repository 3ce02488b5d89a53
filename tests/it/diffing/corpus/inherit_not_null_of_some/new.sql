create table things (name text, size int, kind text);
create table keyed (primary key (name)) inherits (things);
create table plain () inherits (things);
alter table only things alter size set not null;
