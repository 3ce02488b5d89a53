create function cmp(text, text) returns int language internal immutable strict as 'bttextcmp';
create operator class oc for type text using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 cmp(text, text);
create type r as range (subtype = text, subtype_opclass = oc);
create table t (a r);
create index on t using gist (a);
