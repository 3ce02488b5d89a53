-- Removes the users app in reverse order of creation, without cascade, so that whatever still refers to it stops the removal.

drop table data_erasures;
drop table data_exports;
drop table audit_logs;
drop function audit_logs_refuse_change();
drop table webhook_deliveries;
drop table webhook_endpoints;
drop table api_keys;
drop table policies;
drop table device_trust;
drop table user_sessions;
drop table user_identities;
drop table mfa_codes;
drop table mfa_methods;
drop table entitlements;
drop table consent_scopes;
drop table user_roles;
drop table roles_permissions;
drop table permissions;
drop table roles;
drop function roles_refuse_system_change();
drop table users;
drop function is_sha256_list(bytea[]);
drop function touch_updated_at();
