create table stays (a integer, id integer not null generated always as identity);
alter sequence stays_id_seq set unlogged;
create unlogged table lost (id integer generated always as identity);
alter sequence lost_id_seq set logged;
create unlogged table both_lost (id integer generated always as identity);
