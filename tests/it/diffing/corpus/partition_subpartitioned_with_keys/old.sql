create table r (x int primary key);
