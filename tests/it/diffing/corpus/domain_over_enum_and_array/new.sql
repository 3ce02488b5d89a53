create type e as enum ('b', 'a'); create domain d as e check (value <> 'b'); create domain d2 as d[]; create table t (x d, y d[], z d2);
