create sequence q as smallint start 5 increment -1 minvalue -100 maxvalue 10 cycle cache 3;
create table t (id int default nextval('q'), b bigint generated always as identity (sequence name bseq minvalue 5 maxvalue 50), c smallserial, d serial);
alter sequence q owned by t.id;
create sequence loose owned by t.d;
