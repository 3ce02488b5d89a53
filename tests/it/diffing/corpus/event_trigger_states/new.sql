create function e() returns event_trigger language plpgsql as 'begin end';
create event trigger et on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE') execute function e();
create event trigger eu on sql_drop execute function e(); alter event trigger eu disable;
create event trigger ev on table_rewrite execute function e(); alter event trigger ev enable always;
