-- Drops everything.

drop schema public cascade;
create schema public;
