create table pt (k int, v text) partition by range (k);
create table ptd partition of pt default;
create table pt2 partition of pt for values from (10) to (30);
create index ip on only pt (k);
create table qt (k int) partition by list (k);
create table q1 partition of qt for values in (1);
create index iq on only qt (k);
