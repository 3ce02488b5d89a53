alter schema public owner to pg_monitor;
revoke all on schema public from public;
comment on schema public is 'mine';
create table public.t (id int);
create sequence public.q; grant usage on sequence public.q to pg_monitor; alter sequence public.q owner to pg_monitor;
