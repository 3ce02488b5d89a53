create domain c as int not null;
create domain d as c[] check (array_length(value, 1) > 0);
create type e as range (subtype = float8, subtype_diff = float8mi, multirange_type_name = e_multi);
create table t (a e, b d, c c default 3, ea e[], m e_multi, exclude using gist (a with &&));
