create schema s;
create type e as enum ('a');
create domain d as int;
create sequence q;
create procedure p() language sql as '';
