create type e as enum ('a', 'b'); create domain d as e check (value <> 'b'); create domain d2 as d[]; create table t (x d, y d[], z d2);
