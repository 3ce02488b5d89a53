create function cmp(int, int) returns int language internal immutable strict as 'btint4cmp';
create operator class oc for type int using btree as operator 1 <, operator 3 =, operator 5 >, function 1 cmp(int, int);
create table t (a int);
create index on t (a oc);
