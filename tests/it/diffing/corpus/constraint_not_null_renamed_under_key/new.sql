-- from 18
create table users (id integer constraint has_id not null primary key);
create table posts (author integer references users);
create table parent (a integer constraint has_a not null);
create table child () inherits (parent);
create table gone_and_back (b integer, a integer constraint has_a not null primary key) partition by list (a);
