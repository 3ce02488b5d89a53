create sequence s as smallint start 5 increment -2 minvalue -100 maxvalue 50 cache 3 cycle;
