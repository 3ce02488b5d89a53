create type bt;
create function bt_in(cstring) returns bt language internal immutable strict as 'int8in';
create function bt_out(bt) returns cstring language internal immutable strict as 'int8out';
create type bt (input = bt_in, output = bt_out, like = int8, category = 'N', preferred = false, default = '7', delimiter = ';');
create table t (a bt, b bt[] default '{1}');
create domain btd as bt;
create function f(bt, btd[]) returns bt language sql as 'select $1';
