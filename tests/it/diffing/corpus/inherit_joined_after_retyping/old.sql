create table t (id bigint, a smallint not null, b varchar(10), c text[]);
create table child () inherits (t);
alter table t alter c set compression pglz;
alter table t alter b set storage external;
