create table other (a integer, b integer generated always as (a * 4) stored);
create table rows_of_other (o other);
