create table p (a int, b text, c int, unique (b, a)) partition by list (b);
create table p1 partition of p for values in ('a', 'b');
create table p2 partition of p for values in (null, 'c') partition by range (a);
create table p21 partition of p2 for values from (minvalue) to (5);
create table p22 partition of p2 for values from (5) to (maxvalue);
create table pd partition of p default;
