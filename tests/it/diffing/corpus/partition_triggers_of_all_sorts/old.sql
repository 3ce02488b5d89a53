create function tg() returns trigger language plpgsql as 'begin return null; end';
create table t (k int, v int) partition by range (k);
create table t1 partition of t for values from (0) to (10);
create trigger a after insert on t for each row execute function tg();
create constraint trigger b after insert on t deferrable for each row execute function tg();
create trigger c after insert on t for each statement execute function tg();
