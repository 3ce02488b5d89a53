create collation c (provider = libc, locale = 'C');
create table t (a text collate c);
create domain d as text collate c;
