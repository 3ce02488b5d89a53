create table t (b int, k int, c text not null default 'x') partition by range (k);
create table t1 (k int, b int, c text constraint t_c_not_null not null default 'x');
alter table t attach partition t1 for values from (0) to (10);
