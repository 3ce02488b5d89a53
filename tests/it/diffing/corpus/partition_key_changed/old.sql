create table t (a int, b int) partition by range (a);
create table p partition of t default;
