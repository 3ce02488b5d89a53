create table t (a int, c text not null default 'x' collate "C");
