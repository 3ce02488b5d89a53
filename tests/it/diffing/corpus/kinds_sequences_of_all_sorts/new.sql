create sequence q;
create table t (id bigint default nextval('q') not null, b bigint default nextval('q'), c serial, d int);
create table u (x int default nextval('q'));
alter sequence q owned by u.x;
alter sequence t_c_seq as bigint maxvalue 5000 restart 5;
