-- Statements that the schema must accept, each below the reason why it might not.
-- One begins at the margin and goes on in indented lines. What stands in braces is filled in; fixture.sql made the rows.

-- 254 characters.
insert into users (email, username) values (repeat('a', 248) || '@x.org', repeat('a', 254));

-- Optional columns filled.
insert into users (email, username, phone_number, language, country)
    values ('n@x.org', 'n', '0712345678', 'sw-KE', 'KE');

-- A complete erasure.
update users
    set account_status = 'erased', erased_at = now(), bio = null, phone_number = null, email = 'erased-1@erased.invalid'
    where id = {ada};

-- A system role may be relabelled.
update roles set display_name = 'Pupil', description = 'x' where name = 'student';

-- Demoted first; grants go with it.
do $$ begin
    update roles set is_system_role = false where name = 'finance';
    delete from roles where name = 'finance';
    end $$;

-- Other roles are free.
do $$ begin
    insert into roles (name, display_name) values ('custom', 'Custom');
    update roles set name = 'other' where name = 'custom';
    delete from roles where name = 'other';
    end $$;

-- A revoked role can be granted again.
do $$ begin
    update user_roles set revoked_at = now() where user_id = {ada};
    insert into user_roles (user_id, role_id, scope, org_id)
        select user_id, role_id, scope, org_id from user_roles where user_id = {ada};
    end $$;

-- Same role, other scope.
insert into user_roles (user_id, role_id, scope, track_key)
    values ({ada}, (select id from roles where name = 'student'), 'track', 't1');

-- Withdrawal keeps granted_at.
update consent_scopes set granted = false, revoked_at = now() where user_id = {ada};

-- Refused from the start.
insert into consent_scopes (user_id, scope_type, revoked_at) values ({ada}, 'marketing', now());

-- Redeeming a backup code.
update mfa_methods set backup_code_hashes = array_remove(backup_code_hashes, sha256('1'))
    where user_id = {ada} and sha256('1') = any (backup_code_hashes);

-- No codes left.
update mfa_methods set backup_code_hashes = '{}' where user_id = {ada};

-- Same subject, other tenant.
insert into user_identities (user_id, provider, issuer, provider_sub) values ({bob}, 'saml', 'tenant-2', 'sub-1');

-- Last attempt, used.
insert into mfa_codes (user_id, method, purpose, code_hash, expires_at, attempts, used_at)
    values ({ada}, 'email', 'login', sha256('z'), now() + interval '1 hour', 10, now());

-- Highest risk.
insert into user_sessions (user_id, device_fingerprint, refresh_token_hash, expires_at, risk_score)
    values ({ada}, 'fp', sha256('s2'), now() + interval '1 day', 1);

-- A revoked device can be trusted again.
do $$ begin
    update device_trust set revoked_at = now() where user_id = {ada};
    insert into device_trust (user_id, device_name, device_type, device_fingerprint)
        values ({ada}, 'laptop', 'desktop', 'fp');
    end $$;

-- A second version.
do $$ begin
    update policies set active = false where name = 'p';
    insert into policies (name, version, effect, resource, actions) values ('p', 2, 'deny', 'portfolio', '{read}');
    end $$;

-- A service key without an owner.
insert into api_keys (name, key_type, key_prefix, key_hash) values ('n', 'service', 'key_abcdefgh', sha256('n'));

-- A service key with an owner.
insert into api_keys (name, key_type, key_prefix, key_hash, organization_id)
    values ('n', 'service', 'key_abcdefgh', sha256('n'), {acme});

-- An action nobody declared.
insert into audit_logs (actor_type, actor_identifier, action, resource_type)
    values ('anonymous', 'x', 'mfa_enroll', 'user');

-- Delivered at the last attempt.
insert into webhook_deliveries (endpoint_id, event_type, payload, status, delivered_at, attempt_count, response_status)
    values ({endpoint}, 'a', '{}', 'delivered', now(), 3, 204);

-- Closed full erasure beside an open one.
insert into data_erasures (user_id, subject_ref, erasure_type, status) values ({ada}, 's', 'full', 'cancelled');

-- Partial erasure beside an open full one.
insert into data_erasures (user_id, subject_ref, erasure_type) values ({ada}, 's', 'partial');

-- Without ownership everyone can go; audit rows stay.
do $$ begin update organizations set owner_id = null; delete from users; end $$;

-- An organization goes with members, grants, keys, endpoints.
delete from organizations;

-- Completed.
insert into progress (user_id, content_type, content_id, score, completion_percentage, status, completed_at)
    values ({ada}, 'course', 'c2', 0, 100, 'completed', now());
