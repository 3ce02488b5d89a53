-- Statements that the schema must refuse, each below the constraint that refuses it, or else the SQLSTATE.
-- A statement begins at the margin and continues in indented lines. Braces hold placeholders for ids of fixture.sql.

-- users_email_key
insert into users (email, username) values ('aDA@X.org', 'other');

-- users_username_key
insert into users (email, username) values ('o@x.org', 'aDA');

-- users_pkey
insert into users (id, email, username) values ({ada}, 'o@x.org', 'o');

-- users_email_check
insert into users (email, username) values ('nope', 'o');
insert into users (email, username) values ('@x.org', 'o');
insert into users (email, username) values ('a@', 'o');
insert into users (email, username) values ('a b@x.org', 'o');
insert into users (email, username) values ('a@b@c', 'o');
insert into users (email, username) values (repeat('a', 249) || '@x.org', 'o');

-- users_username_check
insert into users (email, username) values ('o@x.org', '');
insert into users (email, username) values ('o@x.org', repeat('a', 255));

-- users_password_hash_check
insert into users (email, username, password_hash) values ('n@x.org', 'n', 'hunter2');
insert into users (email, username, password_hash) values ('n@x.org', 'n', 'argon2$argon2id$v=19$m=1');

-- users_account_status_check
insert into users (email, username, account_status) values ('n@x.org', 'n', 'banned');

-- 428C9
insert into users (email, username, is_active) values ('n@x.org', 'n', true);
update users set is_active = false;

-- users_country_check
insert into users (email, username, country) values ('n@x.org', 'n', 'ke');
insert into users (email, username, country) values ('n@x.org', 'n', 'KEN');
insert into users (email, username, country) values ('n@x.org', 'n', '');

-- users_language_check
insert into users (email, username, language) values ('n@x.org', 'n', 'English');
insert into users (email, username, language) values ('n@x.org', 'n', 'en_US');

-- users_risk_level_check
insert into users (email, username, risk_level) values ('n@x.org', 'n', 'none');

-- users_avatar_url_check
insert into users (email, username, avatar_url) values ('n@x.org', 'n', 'javascript:alert(1)');

-- users_phone_number_check
insert into users (email, username, phone_number) values ('n@x.org', 'n', '12345678');
insert into users (email, username, phone_number) values ('n@x.org', 'n', '+254 712 345');
insert into users (email, username, phone_number) values ('n@x.org', 'n', '+12345678901234567');

-- users_erased_check
insert into users (email, username, account_status) values ('n@x.org', 'n', 'erased');
update users set account_status = 'erased', erased_at = now(), phone_number = null where id = {ada};
update users set account_status = 'erased', erased_at = now(), bio = null where id = {ada};
update users set erased_at = now() where id = {bob};

-- users_org_id_fkey
insert into users (email, username, org_id) values ('n@x.org', 'n', {absent});

-- 23502
insert into users (email) values ('o@x.org');
insert into users (username) values ('o');
update users set created_at = null;

-- organizations_owner_id_fkey
delete from users where id = {bob};

-- roles_name_key
insert into roles (name, display_name) values ('student', 'Again');

-- roles_name_check
insert into roles (name, display_name) values ('Student', 'X');
insert into roles (name, display_name) values ('s', 'X');
insert into roles (name, display_name) values ('1st', 'X');
insert into roles (name, display_name) values ('a-b', 'X');
insert into roles (name, display_name) values ('a b', 'X');
insert into roles (name, display_name) values ('', 'X');
insert into roles (name, display_name) values (repeat('a', 51), 'X');

-- roles_display_name_check
insert into roles (name, display_name) values ('custom', '');
insert into roles (name, display_name) values ('custom', '  ');
update roles set display_name = '' where name = 'student';

-- roles_system_guard
delete from roles where name = 'analyst';
delete from roles;
update roles set name = 'pupil' where name = 'student';
update roles set name = 'pupil', is_system_role = false where name = 'student';
truncate roles cascade;

-- permissions_name_key
insert into permissions (name, resource_type, action) values ('create_user', 'webhook', 'manage');

-- permissions_resource_type_action_key
insert into permissions (name, resource_type, action) values ('make_user', 'user', 'create');

-- permissions_name_check
insert into permissions (name, resource_type, action) values ('Manage webhooks', 'webhook', 'manage');

-- permissions_resource_type_check
insert into permissions (name, resource_type, action) values ('read_ticket', 'ticket', 'read');

-- permissions_action_check
insert into permissions (name, resource_type, action) values ('approve_user', 'user', 'approve');

-- roles_permissions_pkey
insert into roles_permissions
    values ((select id from roles where name = 'analyst'), (select id from permissions where name = 'list_analytics'));

-- roles_permissions_role_id_fkey
insert into roles_permissions values ({absent}, (select id from permissions where name = 'list_analytics'));

-- roles_permissions_permission_id_fkey
insert into roles_permissions values ((select id from roles where name = 'analyst'), {absent});

-- 23502
insert into roles_permissions (role_id) values ((select id from roles where name = 'analyst'));

-- user_roles_live_key
insert into user_roles (user_id, role_id) values ({ada}, (select id from roles where name = 'student'));
insert into user_roles (user_id, role_id, scope, org_id)
    values ({ada}, (select id from roles where name = 'mentor'), 'org', {acme});
insert into user_roles (user_id, role_id, scope, cohort_id)
    select {ada}, id, 'cohort', 'c1' from roles, generate_series(1, 2) where name = 'analyst';

-- user_roles_scope_check
insert into user_roles (user_id, role_id, scope)
    values ({ada}, (select id from roles where name = 'analyst'), 'planet');

-- user_roles_scope_target_check
insert into user_roles (user_id, role_id, scope) values ({ada}, (select id from roles where name = 'analyst'), 'org');
insert into user_roles (user_id, role_id, scope)
    values ({ada}, (select id from roles where name = 'analyst'), 'cohort');
insert into user_roles (user_id, role_id, scope)
    values ({ada}, (select id from roles where name = 'analyst'), 'track');
insert into user_roles (user_id, role_id, cohort_id)
    values ({ada}, (select id from roles where name = 'analyst'), 'c1');
insert into user_roles (user_id, role_id, org_id)
    values ({ada}, (select id from roles where name = 'analyst'), {acme});
insert into user_roles (user_id, role_id, scope, org_id, track_key)
    values ({ada}, (select id from roles where name = 'analyst'), 'org', {acme}, 't1');
insert into user_roles (user_id, role_id, scope, cohort_id)
    values ({ada}, (select id from roles where name = 'analyst'), 'track', 'c1');

-- user_roles_expires_at_check
insert into user_roles (user_id, role_id, expires_at)
    values ({ada}, (select id from roles where name = 'analyst'), now() - interval '1 day');

-- user_roles_user_id_fkey
insert into user_roles (user_id, role_id) values ({absent}, (select id from roles where name = 'analyst'));

-- user_roles_role_id_fkey
insert into user_roles (user_id, role_id) values ({ada}, {absent});
do $$ begin
    update roles set is_system_role = false where name = 'student';
    delete from roles where name = 'student';
    end $$;

-- user_roles_assigned_by_fkey
insert into user_roles (user_id, role_id, assigned_by)
    values ({ada}, (select id from roles where name = 'analyst'), {absent});

-- user_roles_org_id_fkey
insert into user_roles (user_id, role_id, scope, org_id)
    values ({ada}, (select id from roles where name = 'analyst'), 'org', {absent});

-- consent_scopes_user_id_scope_type_key
insert into consent_scopes (user_id, scope_type) values ({ada}, 'analytics');

-- consent_scopes_scope_type_check
insert into consent_scopes (user_id, scope_type) values ({ada}, 'everything');

-- consent_scopes_granted_check
insert into consent_scopes (user_id, scope_type, granted) values ({ada}, 'marketing', true);
insert into consent_scopes (user_id, scope_type, granted, granted_at, revoked_at)
    values ({ada}, 'marketing', true, now(), now());
insert into consent_scopes (user_id, scope_type, granted_at) values ({ada}, 'marketing', now());
update consent_scopes set granted = false where user_id = {ada};

-- consent_scopes_expires_at_check
insert into consent_scopes (user_id, scope_type, granted, granted_at, expires_at)
    values ({ada}, 'marketing', true, now(), now() - interval '1 day');

-- consent_scopes_user_id_fkey
insert into consent_scopes (user_id, scope_type) values ({absent}, 'marketing');

-- entitlements_user_id_feature_key
insert into entitlements (user_id, feature) values ({ada}, 'module_access:profiling');

-- entitlements_feature_check
insert into entitlements (user_id, feature) values ({ada}, '');
insert into entitlements (user_id, feature) values ({ada}, 'Cohort Seat');
insert into entitlements (user_id, feature) values ({ada}, 'a:');
insert into entitlements (user_id, feature) values ({ada}, ':a');
insert into entitlements (user_id, feature) values ({ada}, 'a::b');

-- entitlements_expires_at_check
insert into entitlements (user_id, feature, expires_at) values ({ada}, 'cohort_seat', now());

-- entitlements_metadata_check
insert into entitlements (user_id, feature, metadata) values ({ada}, 'cohort_seat', '[]');
insert into entitlements (user_id, feature, metadata) values ({ada}, 'cohort_seat', 'null');

-- entitlements_user_id_fkey
insert into entitlements (user_id, feature) values ({absent}, 'cohort_seat');

-- mfa_methods_user_id_method_type_key
insert into mfa_methods (user_id, method_type, secret_ciphertext, secret_key_id) values ({ada}, 'totp', '\x00', 'k1');

-- mfa_methods_method_type_check
insert into mfa_methods (user_id, method_type) values ({bob}, 'webauthn');

-- mfa_methods_totp_secret_check
insert into mfa_methods (user_id, method_type) values ({bob}, 'totp');

-- mfa_methods_secret_key_check
insert into mfa_methods (user_id, method_type, secret_ciphertext) values ({bob}, 'totp', '\x00');
insert into mfa_methods (user_id, method_type, secret_key_id) values ({bob}, 'email', 'k1');

-- mfa_methods_sms_phone_check
insert into mfa_methods (user_id, method_type) values ({bob}, 'sms');

-- mfa_methods_phone_e164_check
insert into mfa_methods (user_id, method_type, phone_e164) values ({bob}, 'sms', '0712345678');
insert into mfa_methods (user_id, method_type, phone_e164) values ({bob}, 'sms', '+0712345678');
insert into mfa_methods (user_id, method_type, phone_e164) values ({bob}, 'sms', '+1234567890123456');

-- mfa_methods_enabled_verified_check
insert into mfa_methods (user_id, method_type, enabled) values ({bob}, 'email', true);

-- mfa_methods_primary_enabled_check
insert into mfa_methods (user_id, method_type, is_primary) values ({bob}, 'email', true);

-- mfa_methods_one_primary_key
insert into mfa_methods (user_id, method_type, enabled, is_primary, verified_at)
    values ({ada}, 'email', true, true, now());

-- mfa_methods_backup_code_hashes_check
insert into mfa_methods (user_id, method_type, backup_code_hashes)
    values ({bob}, 'backup_codes', array['\x00'::bytea]);
insert into mfa_methods (user_id, method_type, backup_code_hashes)
    values ({bob}, 'backup_codes', array[sha256('a'), null]);

-- mfa_methods_user_id_fkey
insert into mfa_methods (user_id, method_type) values ({absent}, 'email');

-- mfa_codes_method_check
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({ada}, 'fax', 'login', sha256('z'), now() + interval '1 hour');

-- mfa_codes_purpose_check
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({ada}, 'email', 'fun', sha256('z'), now() + interval '1 hour');

-- mfa_codes_code_hash_check
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({ada}, 'email', 'login', '123456', now() + interval '1 hour');
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({ada}, 'email', 'login', sha512('z'), now() + interval '1 hour');

-- mfa_codes_expires_at_check
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({ada}, 'email', 'login', sha256('z'), now());

-- mfa_codes_attempts_check
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, attempts)
    values ({ada}, 'email', 'login', sha256('z'), now() + interval '1 hour', 11);
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, attempts)
    values ({ada}, 'email', 'login', sha256('z'), now() + interval '1 hour', -1);

-- mfa_codes_used_at_check
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, used_at)
    values ({ada}, 'email', 'login', sha256('z'), now() + interval '1 hour', now() - interval '1 second');

-- mfa_codes_user_id_fkey
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({absent}, 'email', 'login', sha256('z'), now() + interval '1 hour');

-- 23502
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
    values ({ada}, 'email', null, sha256('z'), now() + interval '1 hour');

-- user_identities_provider_issuer_provider_sub_key
insert into user_identities (user_id, provider, issuer, provider_sub) values ({bob}, 'saml', 'tenant-1', 'sub-1');

-- user_identities_provider_check
insert into user_identities (user_id, provider, issuer, provider_sub) values ({bob}, 'github', 'tenant-1', 'sub-1');

-- user_identities_metadata_check
insert into user_identities (user_id, provider, issuer, provider_sub, metadata)
    values ({bob}, 'saml', 'tenant-1', '2', '[]');

-- user_identities_user_id_fkey
insert into user_identities (user_id, provider, issuer, provider_sub) values ({absent}, 'saml', 'tenant-1', '2');

-- user_sessions_refresh_token_hash_key
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at)
    values ({ada}, 'fp', sha256('s'), now() + interval '1 day');

-- user_sessions_refresh_token_hash_check
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at)
    values ({ada}, 'fp', 'abc', now() + interval '1 day');

-- user_sessions_device_type_check
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at, device_type)
    values ({ada}, 'fp', sha256('s2'), now() + interval '1 day', 'fridge');

-- user_sessions_risk_score_check
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at, risk_score)
    values ({ada}, 'fp', sha256('s2'), now() + interval '1 day', 1.01);
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at, risk_score)
    values ({ada}, 'fp', sha256('s2'), now() + interval '1 day', -0.01);
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at, risk_score)
    values ({ada}, 'fp', sha256('s2'), now() + interval '1 day', 'NaN');

-- user_sessions_expires_at_check
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at)
    values ({ada}, 'fp', sha256('s2'), now());

-- user_sessions_user_id_fkey
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at)
    values ({absent}, 'fp', sha256('s2'), now() + interval '1 day');

-- device_trust_live_key
insert into device_trust (user_id, device_name, device_type, device_fingerprint) values ({ada}, 'd', 'mobile', 'fp');

-- device_trust_device_id_key
insert into device_trust (user_id, device_name, device_type, device_fingerprint, device_id)
    values ({ada}, 'd', 'mobile', 'fp2', {device});

-- device_trust_device_type_check
insert into device_trust (user_id, device_name, device_type, device_fingerprint) values ({ada}, 'd', 'fridge', 'fp2');

-- device_trust_expires_at_check
insert into device_trust (user_id, device_name, device_type, device_fingerprint, expires_at)
    values ({ada}, 'd', 'mobile', 'fp2', now());

-- 23502
insert into device_trust (user_id, device_name, device_type, device_fingerprint, expires_at)
    values ({ada}, 'd', 'mobile', 'fp2', null);

-- device_trust_user_id_fkey
insert into device_trust (user_id, device_name, device_type, device_fingerprint)
    values ({absent}, 'd', 'mobile', 'fp2');

-- policies_name_version_key
insert into policies (name, effect, resource, actions, active) values ('p', 'allow', 'portfolio', '{read}', false);

-- policies_active_key
insert into policies (name, effect, resource, actions, version) values ('p', 'allow', 'portfolio', '{read}', 2);

-- policies_version_check
insert into policies (name, effect, resource, actions, version) values ('q', 'allow', 'portfolio', '{read}', 0);

-- policies_effect_check
insert into policies (name, effect, resource, actions) values ('q', 'maybe', 'portfolio', '{read}');

-- policies_actions_check
insert into policies (name, effect, resource, actions) values ('q', 'allow', 'portfolio', '{}');
insert into policies (name, effect, resource, actions) values ('q', 'allow', 'portfolio', '{read,null}');

-- policies_condition_check
insert into policies (name, effect, resource, actions, condition) values ('q', 'allow', 'portfolio', '{read}', '[]');

-- 23502
insert into policies (name, effect, resource, actions) values ('q', 'allow', 'portfolio', null);

-- api_keys_key_hash_key
insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
    values ('n', 'partner', 'key_abcdefgh', sha256('k1'), {ada});

-- api_keys_key_type_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
    values ('n', 'robot', 'key_abcdefgh', sha256('n'), {ada});

-- api_keys_key_prefix_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
    values ('n', 'partner', 'key_1234', sha256('n'), {ada});
insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
    values ('n', 'partner', 'key_1234567890123456789', sha256('n'), {ada});

-- api_keys_key_hash_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
    values ('n', 'partner', 'key_abcdefgh', 'abc', {ada});

-- api_keys_owner_check
insert into api_keys (name, key_type, key_prefix, key_hash) values ('n', 'partner', 'key_abcdefgh', sha256('n'));
insert into api_keys (name, key_type, key_prefix, key_hash) values ('n', 'webhook', 'key_abcdefgh', sha256('n'));
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, organization_id)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, {acme});
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, organization_id)
    values ('n', 'service', 'key_abcdefgh', sha256('n'), {ada}, {acme});

-- api_keys_scopes_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, scopes)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, '{a,null}');

-- api_keys_allowed_ips_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, allowed_ips)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, '{10.0.0.0/8,null}');

-- 22P02
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, allowed_ips)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, '{localhost}');

-- api_keys_rate_limit_per_hour_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, rate_limit_per_hour)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, 0);

-- api_keys_metadata_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, metadata)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, '1');

-- api_keys_expires_at_check
insert into api_keys (name, key_type, key_prefix, key_hash, user_id, expires_at)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {ada}, now());

-- api_keys_user_id_fkey
insert into api_keys (name, key_type, key_prefix, key_hash, user_id)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {absent});

-- api_keys_organization_id_fkey
insert into api_keys (name, key_type, key_prefix, key_hash, organization_id)
    values ('n', 'partner', 'key_abcdefgh', sha256('n'), {absent});

-- webhook_endpoints_url_check
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id)
    values ('w', 'ftp://x.org', '\x00', 'k1');
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id)
    values ('w', 'https://' || repeat('a', 2041), '\x00', 'k1');

-- webhook_endpoints_events_check
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, events)
    values ('w', 'https://x.org', '\x00', 'k1', '{a,null}');

-- webhook_endpoints_timeout_seconds_check
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, timeout_seconds)
    values ('w', 'https://x.org', '\x00', 'k1', 0);
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, timeout_seconds)
    values ('w', 'https://x.org', '\x00', 'k1', 301);

-- webhook_endpoints_max_retries_check
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, max_retries)
    values ('w', 'https://x.org', '\x00', 'k1', -1);
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, max_retries)
    values ('w', 'https://x.org', '\x00', 'k1', 21);

-- webhook_endpoints_retry_backoff_check
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, retry_backoff)
    values ('w', 'https://x.org', '\x00', 'k1', 0.9);
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, retry_backoff)
    values ('w', 'https://x.org', '\x00', 'k1', 'NaN');
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, retry_backoff)
    values ('w', 'https://x.org', '\x00', 'k1', 'infinity');

-- webhook_endpoints_organization_id_fkey
insert into webhook_endpoints (name, url, signing_secret_ciphertext, secret_key_id, organization_id)
    values ('w', 'https://x.org', '\x00', 'k1', {absent});

-- 23502
insert into webhook_endpoints (name, url) values ('w', 'https://x.org');

-- webhook_deliveries_endpoint_id_event_id_key
insert into webhook_deliveries (endpoint_id, event_type, payload, event_id) values ({endpoint}, 'a', '{}', {event});

-- webhook_deliveries_endpoint_id_fkey
insert into webhook_deliveries (endpoint_id, event_type, payload) values ({absent}, 'a', '{}');

-- webhook_deliveries_payload_check
insert into webhook_deliveries (endpoint_id, event_type, payload) values ({endpoint}, 'a', '[]');

-- webhook_deliveries_status_check
insert into webhook_deliveries (endpoint_id, event_type, payload, status) values ({endpoint}, 'a', '{}', 'lost');

-- webhook_deliveries_response_status_check
insert into webhook_deliveries (endpoint_id, event_type, payload, response_status) values ({endpoint}, 'a', '{}', 99);
insert into webhook_deliveries (endpoint_id, event_type, payload, response_status)
    values ({endpoint}, 'a', '{}', 600);

-- webhook_deliveries_response_headers_check
insert into webhook_deliveries (endpoint_id, event_type, payload, response_headers)
    values ({endpoint}, 'a', '{}', '[]');

-- webhook_deliveries_attempts_check
insert into webhook_deliveries (endpoint_id, event_type, payload, attempt_count) values ({endpoint}, 'a', '{}', -1);
insert into webhook_deliveries (endpoint_id, event_type, payload, attempt_count) values ({endpoint}, 'a', '{}', 4);

-- webhook_deliveries_delivered_check
insert into webhook_deliveries (endpoint_id, event_type, payload, status) values ({endpoint}, 'a', '{}', 'delivered');
insert into webhook_deliveries (endpoint_id, event_type, payload, delivered_at) values ({endpoint}, 'a', '{}', now());

-- audit_logs_actor_type_check
insert into audit_logs (actor_type, actor_identifier, action, resource_type) values ('ghost', 'x', 'read', 'user');

-- audit_logs_action_check
insert into audit_logs (actor_type, actor_identifier, action, resource_type) values ('user', 'x', '', 'user');
insert into audit_logs (actor_type, actor_identifier, action, resource_type) values ('user', 'x', 'Read', 'user');
insert into audit_logs (actor_type, actor_identifier, action, resource_type) values ('user', 'x', 'a b', 'user');
insert into audit_logs (actor_type, actor_identifier, action, resource_type)
    values ('user', 'x', 'drop;table', 'user');

-- audit_logs_changes_check
insert into audit_logs (actor_type, actor_identifier, action, resource_type, changes)
    values ('user', 'x', 'read', 'user', '[]');

-- audit_logs_metadata_check
insert into audit_logs (actor_type, actor_identifier, action, resource_type, metadata)
    values ('user', 'x', 'read', 'user', '[]');

-- audit_logs_result_check
insert into audit_logs (actor_type, actor_identifier, action, resource_type, result)
    values ('user', 'x', 'read', 'user', 'maybe');

-- audit_logs_user_id_fkey
insert into audit_logs (actor_type, actor_identifier, action, resource_type, user_id)
    values ('user', 'x', 'read', 'user', {absent});

-- audit_logs_api_key_id_fkey
insert into audit_logs (actor_type, actor_identifier, action, resource_type, api_key_id)
    values ('user', 'x', 'read', 'user', {absent});

-- 428C9
insert into audit_logs (actor_type, actor_identifier, action, resource_type, id)
    values ('user', 'x', 'read', 'user', 7);

-- audit_logs_append_only
update audit_logs set actor_identifier = 'tampered';
update audit_logs set "timestamp" = now() - interval '1 year';
update audit_logs set changes = '{"a": 1.00}' where user_id = {ada};
update audit_logs set user_id = null;
update audit_logs set api_key_id = null;
update audit_logs set user_id = {bob} where user_id = {ada};
update audit_logs set action = action;
delete from audit_logs;
truncate audit_logs;
truncate users cascade;

-- data_exports_subject_ref_check
insert into data_exports (user_id, subject_ref, export_type) values ({ada}, '', 'full');

-- 23502
insert into data_exports (user_id, export_type) values ({ada}, 'full');

-- data_exports_export_type_check
insert into data_exports (user_id, subject_ref, export_type) values ({ada}, 's', 'some');

-- data_exports_data_categories_check
insert into data_exports (user_id, subject_ref, export_type, data_categories)
    values ({ada}, 's', 'full', '{profile,null}');

-- data_exports_format_check
insert into data_exports (user_id, subject_ref, export_type, format) values ({ada}, 's', 'full', 'pdf');

-- data_exports_file_size_check
insert into data_exports (user_id, subject_ref, export_type, file_size) values ({ada}, 's', 'full', -1);

-- data_exports_file_hash_check
insert into data_exports (user_id, subject_ref, export_type, file_hash) values ({ada}, 's', 'full', 'ABC');

-- data_exports_status_check
insert into data_exports (user_id, subject_ref, export_type, status) values ({ada}, 's', 'full', 'lost');

-- data_exports_completed_check
insert into data_exports (user_id, subject_ref, export_type, status) values ({ada}, 's', 'full', 'completed');

-- data_exports_download_count_check
insert into data_exports (user_id, subject_ref, export_type, download_count) values ({ada}, 's', 'full', -1);

-- data_exports_metadata_check
insert into data_exports (user_id, subject_ref, export_type, metadata) values ({ada}, 's', 'full', '[]');

-- data_exports_user_id_fkey
insert into data_exports (user_id, subject_ref, export_type) values ({absent}, 's', 'full');

-- data_exports_requested_by_fkey
insert into data_exports (user_id, subject_ref, export_type, requested_by) values ({ada}, 's', 'full', {absent});

-- data_erasures_open_full_key
insert into data_erasures (user_id, subject_ref, erasure_type) values ({ada}, 's', 'full');
insert into data_erasures (user_id, subject_ref, erasure_type, status) values ({ada}, 's', 'full', 'processing');

-- data_erasures_subject_ref_check
insert into data_erasures (user_id, subject_ref, erasure_type) values ({ada}, '', 'partial');

-- data_erasures_erasure_type_check
insert into data_erasures (user_id, subject_ref, erasure_type) values ({ada}, 's', 'some');

-- data_erasures_data_categories_check
insert into data_erasures (user_id, subject_ref, erasure_type, data_categories)
    values ({ada}, 's', 'partial', '{profile,null}');

-- data_erasures_status_check
insert into data_erasures (user_id, subject_ref, erasure_type, status) values ({ada}, 's', 'partial', 'expired');

-- data_erasures_completed_check
insert into data_erasures (user_id, subject_ref, erasure_type, status) values ({ada}, 's', 'partial', 'completed');

-- data_erasures_records_erased_check
insert into data_erasures (user_id, subject_ref, erasure_type, records_erased) values ({ada}, 's', 'partial', -1);

-- data_erasures_records_anonymized_check
insert into data_erasures (user_id, subject_ref, erasure_type, records_anonymized) values ({ada}, 's', 'partial', -1);

-- data_erasures_errors_check
insert into data_erasures (user_id, subject_ref, erasure_type, errors) values ({ada}, 's', 'partial', '{}');

-- data_erasures_metadata_check
insert into data_erasures (user_id, subject_ref, erasure_type, metadata) values ({ada}, 's', 'partial', '[]');

-- data_erasures_user_id_fkey
insert into data_erasures (user_id, subject_ref, erasure_type) values ({absent}, 's', 'partial');

-- data_erasures_requested_by_fkey
insert into data_erasures (user_id, subject_ref, erasure_type, requested_by) values ({ada}, 's', 'partial', {absent});

-- organizations_slug_key
insert into organizations (name, slug) values ('N', 'acme-1');

-- organizations_name_check
insert into organizations (name, slug) values (' ', 'n');

-- organizations_slug_check
insert into organizations (name, slug) values ('N', '');
insert into organizations (name, slug) values ('N', 'Acme');
insert into organizations (name, slug) values ('N', 'a--b');
insert into organizations (name, slug) values ('N', '-a');
insert into organizations (name, slug) values ('N', 'a-');
insert into organizations (name, slug) values ('N', 'a_b');
insert into organizations (name, slug) values ('N', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');

-- organizations_org_type_check
insert into organizations (name, slug, org_type) values ('N', 'n', 'charity');

-- organizations_logo_url_check
insert into organizations (name, slug, logo_url) values ('N', 'n', 'x.png');

-- organizations_website_check
insert into organizations (name, slug, website) values ('N', 'n', 'x.org');

-- organizations_country_check
insert into organizations (name, slug, country) values ('N', 'n', 'ke');

-- organizations_status_check
insert into organizations (name, slug, status) values ('N', 'n', 'asleep');

-- organizations_owner_id_fkey
insert into organizations (name, slug, owner_id) values ('N', 'n', {absent});

-- organization_members_organization_id_user_id_key
insert into organization_members (organization_id, user_id) values ({acme}, {ada});

-- organization_members_organization_id_fkey
insert into organization_members (organization_id, user_id) values ({absent}, {ada});

-- organization_members_user_id_fkey
insert into organization_members (organization_id, user_id) values ({acme}, {absent});

-- organization_members_role_check
update organization_members set role = 'boss';

-- progress_user_id_content_type_content_id_key
insert into progress (user_id, content_type, content_id) values ({ada}, 'course', 'c1');

-- progress_status_check
insert into progress (user_id, content_type, content_id, status) values ({ada}, 'course', 'c2', 'done');

-- progress_completion_percentage_check
insert into progress (user_id, content_type, content_id, completion_percentage) values ({ada}, 'course', 'c2', -1);
insert into progress (user_id, content_type, content_id, completion_percentage) values ({ada}, 'course', 'c2', 101);

-- progress_score_check
insert into progress (user_id, content_type, content_id, score) values ({ada}, 'course', 'c2', -0.5);
insert into progress (user_id, content_type, content_id, score) values ({ada}, 'course', 'c2', 'NaN');
insert into progress (user_id, content_type, content_id, score) values ({ada}, 'course', 'c2', 'infinity');

-- progress_completed_check
insert into progress (user_id, content_type, content_id, status) values ({ada}, 'course', 'c2', 'completed');

-- progress_metadata_check
insert into progress (user_id, content_type, content_id, metadata) values ({ada}, 'course', 'c2', '[]');

-- progress_user_id_fkey
insert into progress (user_id, content_type, content_id) values ({absent}, 'course', 'c2');
