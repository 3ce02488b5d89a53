create type label;
create function label_in(cstring) returns label language internal strict immutable as 'textin';
create function label_out(label) returns cstring language internal strict immutable as 'textout';
create type label (input = label_in, output = label_out, storage = extended);
create table labels (first label);
create type labelled as (first label);
create view seen as select first from labels;
