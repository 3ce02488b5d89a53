create type sh;
comment on type sh is 'shell';
