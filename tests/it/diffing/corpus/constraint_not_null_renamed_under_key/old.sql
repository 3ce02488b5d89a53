-- from 18
create table users (id integer constraint id_is_there not null primary key);
create table posts (author integer references users);
create table parent (a integer constraint a_is_there not null);
create table child () inherits (parent);
create table gone_and_back (a integer constraint a_is_there not null primary key);
