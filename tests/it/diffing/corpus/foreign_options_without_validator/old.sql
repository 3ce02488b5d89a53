create foreign data wrapper far validator postgresql_fdw_validator;
