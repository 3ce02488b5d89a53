create table t (a serial, b smallserial, c bigserial, d int generated always as identity (start 10 increment 5 minvalue 5 maxvalue 100 cycle cache 3));
create sequence s1 as smallint increment -1;
