create view w as select 1 as a;
