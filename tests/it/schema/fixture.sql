-- At least one row in every table and for every foreign key. Each statement of refused.sql breaks one rule only.

insert into users
    (id, email, username, password_hash, account_status, email_verified_at,
     cohort_id, track_key, country, bio, avatar_url, phone_number)
values
    ({ada}, 'Ada@x.org', 'Ada', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', 'active', now(),
     'c1', 't1', 'KE', 'hi', 'https://x.org/a.png', '+254712345678'),
    ({bob}, 'bob@x.org', 'bob', null, 'active', now(),
     null, null, null, null, null, null);

insert into organizations (id, name, slug, owner_id, country, website)
values ({acme}, 'Acme', 'acme-1', {bob}, 'KE', 'https://acme.org');

update users set org_id = {acme} where id = {ada};

insert into organization_members (organization_id, user_id, role)
values ({acme}, {ada}, 'member'), ({acme}, {bob}, 'admin');

insert into user_roles (user_id, role_id) select {ada}, id from roles where name = 'student';

insert into user_roles (user_id, role_id, scope, org_id, assigned_by)
select {ada}, id, 'org', {acme}, {bob} from roles where name = 'mentor';

insert into consent_scopes (user_id, scope_type, granted, granted_at) values ({ada}, 'analytics', true, now());

insert into entitlements (user_id, feature) values ({ada}, 'module_access:profiling');

insert into mfa_methods (user_id, method_type, secret_ciphertext, secret_key_id, enabled, is_primary, verified_at)
values ({ada}, 'totp', '\x00', 'k1', true, true, now());

insert into mfa_methods (user_id, method_type, backup_code_hashes, enabled, verified_at)
values ({ada}, 'backup_codes', array[sha256('1'), sha256('2')], true, now());

insert into mfa_codes (user_id, method, purpose, code_hash, expires_at)
values ({ada}, 'email', 'login', sha256('c'), now() + interval '10 minutes');

insert into user_identities (user_id, provider, issuer, provider_sub) values ({ada}, 'saml', 'tenant-1', 'sub-1');

insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at)
values ({ada}, 'fp', sha256('s'), now() + interval '30 days');

insert into device_trust (user_id, device_id, device_name, device_type, device_fingerprint)
values ({ada}, {device}, 'laptop', 'desktop', 'fp');

insert into policies (name, effect, resource, actions) values ('p', 'allow', 'portfolio', '{read}');

insert into api_keys (id, name, key_type, key_prefix, key_hash, user_id)
values ({key}, 'k', 'partner', 'key_12345678', sha256('k1'), {ada});

insert into api_keys (name, key_type, key_prefix, key_hash, organization_id)
values ('ok', 'partner', 'key_22345678', sha256('k2'), {acme});

insert into webhook_endpoints (id, organization_id, name, url, events, signing_secret_ciphertext, secret_key_id)
values ({endpoint}, {acme}, 'w', 'https://x.org/h', '{a,b}', '\x01', 'k1');

insert into webhook_deliveries (endpoint_id, event_id, event_type, payload) values ({endpoint}, {event}, 'a', '{}');

insert into audit_logs (user_id, api_key_id, actor_type, actor_identifier, action, resource_type, changes)
values
    ({ada}, {key}, 'user', 'Ada@x.org', 'password_reset_request', 'user', '{"a": 1.0}'),
    ({bob}, (select id from api_keys where name = 'ok'), 'api_key', 'key_2', 'read', 'user', '{}');

insert into data_exports (user_id, subject_ref, requested_by, export_type, status, completed_at)
values ({ada}, 's1', {ada}, 'full', 'completed', now());

insert into data_erasures (user_id, subject_ref, requested_by, erasure_type) values ({ada}, 's1', {bob}, 'full');

insert into progress (user_id, content_type, content_id, score) values ({ada}, 'course', 'c1', 5);
