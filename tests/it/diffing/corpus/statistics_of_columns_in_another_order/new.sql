create table notes (b int, c int, a int);
create statistics pair on a, b from notes;
create statistics all_three (ndistinct) on c, b, a from notes;
create statistics odd on (a + b), c from notes;
