create table other (a integer, b integer generated always as (a * 3) stored);
create table rows_of_other (o other);
