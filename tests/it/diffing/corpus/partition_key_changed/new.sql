create table t (a int, b int) partition by hash (b);
create table p partition of t for values with (modulus 2, remainder 0);
