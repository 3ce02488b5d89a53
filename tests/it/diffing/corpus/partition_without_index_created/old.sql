create table pt (k int, v text) partition by range (k);
create table ptd partition of pt default;
create index ip on only pt (k);
create table qt (k int) partition by list (k);
create table q1 (k int);
create index iq on only qt (k);
