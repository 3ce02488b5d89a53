create table u (a int, b text);
create view t as select a, b from u;
