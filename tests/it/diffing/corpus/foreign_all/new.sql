create foreign data wrapper w options (a 'b');
create server s type 'a' version 'b' foreign data wrapper w options (host 'x, y', port '5');
create user mapping for public server s options (user 'u');
create user mapping for pg_monitor server s;
create foreign table f (a int options (x 'y') not null check (a > 0), b text default 'z') server s options (tab 't');
