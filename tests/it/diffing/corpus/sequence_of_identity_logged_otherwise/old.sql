create table stays (a integer);
