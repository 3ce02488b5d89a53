create table notes (b int, c int, drop_me int, a int);
create statistics pair on a, b from notes;
create statistics odd on (a + b) from notes;
