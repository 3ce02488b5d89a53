create table things (name text not null, size int, kind text);
create table keyed (primary key (name)) inherits (things);
create table plain () inherits (things);
alter table only things alter kind set not null;
