-- What the tables of this app should be: accounts with their roles, consents, credentials, service access and audit trail.
-- `cargo xtask makemigrations` writes the migrations that lead here.
--
-- users and organizations refer to each other. Each key stands with its table; the migrations of the later app, organizations,
-- close the circle.
--
-- Programs match on constraint names, so every name is part of the interface: <table>_<column>_check|_key|_fkey|_idx, and
-- where a rule spans columns, the rule instead of the columns. A check passes on null, so optional columns need no "is null or".

create function touch_updated_at() returns trigger
    language plpgsql
    set search_path = ''
as $$
begin
    -- Not now(): two updates in one transaction must differ, and a long transaction must not date its change before it was made.
    new.updated_at := clock_timestamp();
    return new;
end
$$;

comment on function touch_updated_at() is
    'Trigger of every table with updated_at: the server''s clock decides, whatever the client sends.';

-- The only way to hold every element of an array to a rule: a check may call a function but not contain a subquery.
-- A body without quotes is resolved when it is created, so the search path of the caller can't bend it.
create function is_sha256_list(hashes bytea[]) returns boolean
    language sql
    immutable
    parallel safe
    return (
        select coalesce(bool_and(coalesce(octet_length(hash), 0) = 32), true)
        from unnest(hashes) as hash
    );

comment on function is_sha256_list(bytea[]) is
    'Whether each element has the 32 bytes of a SHA-256 digest; a null element has not.';

create table users (
    id                  uuid        not null default gen_random_uuid(),
    email               text        not null,
    username            text        not null,
    password_hash       text,
    first_name          text        not null default '',
    last_name           text        not null default '',
    is_staff            boolean     not null default false,
    is_superuser        boolean     not null default false,
    account_status      text        not null default 'pending_verification',
    is_active           boolean     not null generated always as (account_status in ('pending_verification', 'active')) stored,
    email_verified_at   timestamptz,
    activated_at        timestamptz,
    deactivated_at      timestamptz,
    erased_at           timestamptz,
    last_login          timestamptz,
    last_login_ip       inet,
    password_changed_at timestamptz,
    cohort_id           text,
    track_key           text,
    org_id              uuid,
    country             text,
    timezone            text        not null default 'UTC',
    language            text        not null default 'en',
    risk_level          text        not null default 'low',
    bio                 text,
    avatar_url          text,
    phone_number        text,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),

    constraint users_pkey primary key (id),
    constraint users_org_id_fkey foreign key (org_id) references organizations (id) on delete set null,
    constraint users_email_check check (length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$'),
    constraint users_username_check check (length(username) between 1 and 254),
    -- Stops the one mistake that can't be undone: a plain password written here.
    constraint users_password_hash_check check (password_hash ~ '^\$[a-z0-9-]+\$'),
    constraint users_account_status_check
        check (account_status in ('pending_verification', 'active', 'suspended', 'deactivated', 'erased')),
    constraint users_country_check check (country ~ '^[A-Z]{2}$'),
    constraint users_language_check check (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
    constraint users_risk_level_check check (risk_level in ('low', 'medium', 'high', 'critical')),
    constraint users_avatar_url_check check (avatar_url ~ '^https?://'),
    constraint users_phone_number_check check (phone_number ~ '^\+?1?[0-9]{9,15}$'),
    constraint users_erased_check
        check (
            case account_status
                when 'erased' then erased_at is not null and bio is null and phone_number is null
                else erased_at is null
            end
        )
);

-- Indexes and not constraints, since a constraint takes no expression: Bob@x.org and bob@x.org are one person.
create unique index users_email_key on users (lower(email));
create unique index users_username_key on users (lower(username));
create index users_org_id_idx on users (org_id) where org_id is not null;
create index users_cohort_id_idx on users (cohort_id) where cohort_id is not null;
create index users_track_key_idx on users (track_key) where track_key is not null;

create trigger users_touch_updated_at
    before update on users
    for each row execute function touch_updated_at();

comment on table users is
    'Accounts. Erasure keeps the row, with status erased and placeholders for name and address, '
    'so that what refers to it stays whole.';
comment on column users.email is
    'As typed; unique without regard to case, so look it up by lower(email).';
comment on column users.username is
    'As typed; unique without regard to case. Long enough to hold an e-mail address.';
comment on column users.password_hash is
    'PHC string such as $argon2id$v=19$...; null: no password, sign-in by other means only.';
comment on column users.is_active is
    'True while pending verification or active; follows from account_status and can''t be written.';
comment on column users.email_verified_at is
    'Null: not verified.';
comment on column users.cohort_id is
    'Attribute for access rules; the cohort itself lives outside this database.';
comment on column users.track_key is
    'Attribute for access rules; the track itself lives outside this database.';
comment on column users.org_id is
    'Primary organization; memberships are in organization_members.';
comment on column users.country is
    'ISO 3166-1 alpha-2.';
comment on column users.timezone is
    'IANA name; checked by the application, which knows the current list.';

create table roles (
    id             uuid        not null default gen_random_uuid(),
    name           text        not null,
    display_name   text        not null,
    description    text        not null default '',
    is_system_role boolean     not null default false,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),

    constraint roles_pkey primary key (id),
    constraint roles_name_key unique (name),
    constraint roles_name_check check (name ~ '^[a-z][a-z0-9_]{1,49}$'),
    constraint roles_display_name_check check (btrim(display_name) <> '')
);

create function roles_refuse_system_change() returns trigger
    language plpgsql
    set search_path = ''
as $$
declare
    refused text;
begin
    if tg_op = 'DELETE' then
        refused := format('system role "%s" cannot be deleted', old.name);
    elsif tg_op = 'UPDATE' then
        refused := format('system role "%s" cannot be renamed to "%s"', old.name, new.name);
    elsif exists (select from public.roles where is_system_role) then
        refused := 'roles cannot be truncated while it holds system roles';
    else
        return null;
    end if;

    raise exception using
        errcode    = 'restrict_violation',
        message    = refused,
        hint       = 'Programs know a system role by its name. If you mean it, set is_system_role to false first.',
        schema     = tg_table_schema,
        table      = tg_table_name,
        constraint = 'roles_system_guard';
end
$$;

comment on function roles_refuse_system_change() is
    'Trigger of roles; raises 23001 with the constraint name roles_system_guard.';

create trigger roles_system_guard_delete
    before delete on roles
    for each row when (old.is_system_role)
    execute function roles_refuse_system_change();

create trigger roles_system_guard_rename
    before update on roles
    for each row when (old.is_system_role and old.name <> new.name)
    execute function roles_refuse_system_change();

-- Truncate fires no row trigger, and with cascade it asks no foreign key either.
create trigger roles_system_guard_truncate
    before truncate on roles
    for each statement execute function roles_refuse_system_change();

create trigger roles_touch_updated_at
    before update on roles
    for each row execute function touch_updated_at();

comment on table roles is
    'Global roles; who has one, and where, is in user_roles.';
comment on column roles.name is
    'What code and the seed know the role by.';
comment on column roles.is_system_role is
    'Code relies on the role: it can be neither deleted nor renamed.';

create table permissions (
    id            uuid        not null default gen_random_uuid(),
    name          text        not null,
    resource_type text        not null,
    action        text        not null,
    description   text        not null default '',
    created_at    timestamptz not null default now(),

    constraint permissions_pkey primary key (id),
    constraint permissions_name_key unique (name),
    -- Deferrable, so that it is checked when a statement ends: then one update can put two swapped rows right.
    constraint permissions_resource_type_action_key unique (resource_type, action) deferrable initially immediate,
    constraint permissions_name_check check (name ~ '^[a-z][a-z0-9_]{1,99}$'),
    constraint permissions_resource_type_check
        check (
            resource_type in (
                'user', 'organization', 'cohort', 'track', 'portfolio', 'profiling',
                'mentorship', 'analytics', 'billing', 'invoice', 'api_key', 'webhook'
            )
        ),
    constraint permissions_action_check check (action in ('create', 'read', 'update', 'delete', 'list', 'manage'))
);

comment on table permissions is
    'Catalogue of what can be allowed: one row for each resource and action.';
comment on column permissions.name is
    'What code asks for. Not derivable from resource and action: plurals vary, and delete on api_key is revoke_api_key.';

create table roles_permissions (
    role_id       uuid not null,
    permission_id uuid not null,

    constraint roles_permissions_pkey primary key (role_id, permission_id),
    constraint roles_permissions_role_id_fkey foreign key (role_id) references roles (id) on delete cascade,
    constraint roles_permissions_permission_id_fkey foreign key (permission_id) references permissions (id) on delete cascade
);

create index roles_permissions_permission_id_idx on roles_permissions (permission_id);

comment on table roles_permissions is
    'Grants: which role holds which permission.';

create table user_roles (
    id          uuid        not null default gen_random_uuid(),
    user_id     uuid        not null,
    role_id     uuid        not null,
    scope       text        not null default 'global',
    org_id      uuid,
    cohort_id   text,
    track_key   text,
    assigned_by uuid,
    assigned_at timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz,

    constraint user_roles_pkey primary key (id),
    constraint user_roles_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    -- Restrict: removing a role must not quietly take rights from people.
    constraint user_roles_role_id_fkey foreign key (role_id) references roles (id) on delete restrict,
    constraint user_roles_org_id_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint user_roles_assigned_by_fkey foreign key (assigned_by) references users (id) on delete set null,
    constraint user_roles_scope_check check (scope in ('global', 'org', 'cohort', 'track')),
    constraint user_roles_scope_target_check
        check (
            (scope = 'org') = (org_id is not null)
            and (scope = 'cohort') = (cohort_id is not null)
            and (scope = 'track') = (track_key is not null)
        ),
    constraint user_roles_expires_at_check check (expires_at > assigned_at)
);

-- Revoked rows stay as history, so only live ones are unique; nulls are equal here, or a global role could be held twice.
create unique index user_roles_live_key on user_roles (user_id, role_id, scope, org_id, cohort_id, track_key)
    nulls not distinct
    where revoked_at is null;
create index user_roles_user_id_idx on user_roles (user_id);
create index user_roles_role_id_idx on user_roles (role_id);
create index user_roles_org_id_idx on user_roles (org_id) where org_id is not null;
create index user_roles_assigned_by_idx on user_roles (assigned_by) where assigned_by is not null;

comment on table user_roles is
    'Who holds which role, where and until when. '
    'Live: revoked_at is null and (expires_at is null or expires_at > now()). '
    'A role that expired is revoked before it is granted again.';
comment on column user_roles.scope is
    'global, or the kind of thing that the one filled column of org_id, cohort_id, track_key names.';
comment on column user_roles.assigned_by is
    'Null: by the system, or by someone deleted since.';

create table consent_scopes (
    id         uuid        not null default gen_random_uuid(),
    user_id    uuid        not null,
    scope_type text        not null,
    granted    boolean     not null default false,
    granted_at timestamptz,
    revoked_at timestamptz,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint consent_scopes_pkey primary key (id),
    constraint consent_scopes_user_id_scope_type_key unique (user_id, scope_type),
    constraint consent_scopes_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint consent_scopes_scope_type_check
        check (
            scope_type in (
                'share_with_mentor', 'share_with_sponsor', 'analytics', 'marketing',
                'research', 'public_portfolio', 'employer_share'
            )
        ),
    constraint consent_scopes_granted_check check (granted = (granted_at is not null and revoked_at is null)),
    constraint consent_scopes_expires_at_check check (expires_at > granted_at)
);

create trigger consent_scopes_touch_updated_at
    before update on consent_scopes
    for each row execute function touch_updated_at();

comment on table consent_scopes is
    'Data-protection consent, one row per user and kind, as it stands now; its history is in audit_logs. '
    'Valid: granted and (expires_at is null or expires_at > now()).';

create table entitlements (
    id         uuid        not null default gen_random_uuid(),
    user_id    uuid        not null,
    feature    text        not null,
    granted    boolean     not null default true,
    granted_at timestamptz not null default now(),
    expires_at timestamptz,
    metadata   jsonb       not null default '{}',

    constraint entitlements_pkey primary key (id),
    constraint entitlements_user_id_feature_key unique (user_id, feature),
    constraint entitlements_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint entitlements_feature_check check (feature ~ '^[a-z0-9_]+(:[a-z0-9_]+)*$'),
    constraint entitlements_expires_at_check check (expires_at > granted_at),
    constraint entitlements_metadata_check check (jsonb_typeof(metadata) = 'object')
);

create index entitlements_feature_idx on entitlements (feature);

comment on table entitlements is
    'Feature switches of a user. On: granted and (expires_at is null or expires_at > now()).';
comment on column entitlements.feature is
    'Words joined by colons, such as cohort_seat or module_access:profiling.';

create table mfa_methods (
    id                 uuid        not null default gen_random_uuid(),
    user_id            uuid        not null,
    method_type        text        not null,
    secret_ciphertext  bytea,
    secret_key_id      text,
    backup_code_hashes bytea[]     not null default '{}',
    phone_e164         text,
    enabled            boolean     not null default false,
    is_primary         boolean     not null default false,
    verified_at        timestamptz,
    created_at         timestamptz not null default now(),
    last_used_at       timestamptz,

    constraint mfa_methods_pkey primary key (id),
    constraint mfa_methods_user_id_method_type_key unique (user_id, method_type),
    constraint mfa_methods_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint mfa_methods_method_type_check check (method_type in ('totp', 'sms', 'email', 'backup_codes')),
    -- A ciphertext without its key is lost, and rotation finds its rows by the key.
    constraint mfa_methods_secret_key_check check ((secret_ciphertext is null) = (secret_key_id is null)),
    constraint mfa_methods_backup_code_hashes_check check (is_sha256_list(backup_code_hashes)),
    constraint mfa_methods_phone_e164_check check (phone_e164 ~ '^\+[1-9][0-9]{6,14}$'),
    constraint mfa_methods_totp_secret_check check (method_type <> 'totp' or secret_ciphertext is not null),
    constraint mfa_methods_sms_phone_check check (method_type <> 'sms' or phone_e164 is not null),
    constraint mfa_methods_enabled_verified_check check (not enabled or verified_at is not null),
    constraint mfa_methods_primary_enabled_check check (not is_primary or enabled)
);

create unique index mfa_methods_one_primary_key on mfa_methods (user_id) where is_primary;

comment on table mfa_methods is
    'Enrolled second factors. A user has multi-factor sign-in when one of them is enabled.';
comment on column mfa_methods.secret_ciphertext is
    'Encrypted by the application under the key secret_key_id; needed in clear to compute a TOTP, so it can''t be a hash.';
comment on column mfa_methods.backup_code_hashes is
    'SHA-256 of the codes that are left. '
    'Redeem in one statement (array_remove ... where hash = any (...)), or a code works twice.';
comment on column mfa_methods.verified_at is
    'When the user first proved to hold the factor; null: not yet.';

create table mfa_codes (
    id         uuid        not null default gen_random_uuid(),
    user_id    uuid        not null,
    method     text        not null,
    purpose    text        not null,
    code_hash  bytea       not null,
    attempts   smallint    not null default 0,
    expires_at timestamptz not null,
    used_at    timestamptz,
    created_at timestamptz not null default now(),
    ip_address inet,

    constraint mfa_codes_pkey primary key (id),
    constraint mfa_codes_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint mfa_codes_method_check check (method in ('totp', 'sms', 'email', 'magic_link')),
    constraint mfa_codes_purpose_check check (purpose in ('login', 'mfa', 'verify_email', 'password_reset')),
    constraint mfa_codes_code_hash_check check (octet_length(code_hash) = 32),
    constraint mfa_codes_attempts_check check (attempts between 0 and 10),
    constraint mfa_codes_expires_at_check check (expires_at > created_at),
    constraint mfa_codes_used_at_check check (used_at >= created_at)
);

create index mfa_codes_user_id_idx on mfa_codes (user_id);
create index mfa_codes_unused_idx on mfa_codes (user_id, purpose, code_hash) where used_at is null;
-- For the job that purges expired codes.
create index mfa_codes_expires_at_idx on mfa_codes (expires_at);

comment on table mfa_codes is
    'One-time codes and links of a few minutes: sign-in, second factor, address verification, password reset.';
comment on column mfa_codes.code_hash is
    'HMAC-SHA-256 under a server key: six digits behind a bare hash are guessed in no time.';
comment on column mfa_codes.attempts is
    'Wrong guesses so far; the tenth is the last.';

create table user_identities (
    id           uuid        not null default gen_random_uuid(),
    user_id      uuid        not null,
    provider     text        not null,
    issuer       text        not null default '',
    provider_sub text        not null,
    metadata     jsonb       not null default '{}',
    linked_at    timestamptz not null default now(),
    last_sync_at timestamptz,
    is_active    boolean     not null default true,

    constraint user_identities_pkey primary key (id),
    constraint user_identities_provider_issuer_provider_sub_key unique (provider, issuer, provider_sub),
    constraint user_identities_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint user_identities_provider_check check (provider in ('google', 'microsoft', 'saml', 'apple', 'local')),
    constraint user_identities_metadata_check check (jsonb_typeof(metadata) = 'object')
);

create index user_identities_user_id_provider_idx on user_identities (user_id, provider);

comment on table user_identities is
    'Accounts elsewhere that sign a user in here.';
comment on column user_identities.issuer is
    'Tenant of the provider, empty where it has but one: two tenants may issue the same subject.';

create table user_sessions (
    id                 uuid        not null default gen_random_uuid(),
    user_id            uuid        not null,
    family_id          uuid        not null default gen_random_uuid(),
    device_fingerprint text        not null,
    device_name        text,
    device_type        text,
    ip_address         inet,
    user_agent         text,
    refresh_token_hash bytea       not null,
    trusted_at         timestamptz,
    mfa_verified_at    timestamptz,
    risk_score         real        not null default 0,
    created_at         timestamptz not null default now(),
    last_activity      timestamptz not null default now(),
    expires_at         timestamptz not null,
    revoked_at         timestamptz,

    constraint user_sessions_pkey primary key (id),
    constraint user_sessions_refresh_token_hash_key unique (refresh_token_hash),
    constraint user_sessions_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint user_sessions_device_type_check check (device_type in ('mobile', 'tablet', 'desktop', 'unknown')),
    constraint user_sessions_refresh_token_hash_check check (octet_length(refresh_token_hash) = 32),
    constraint user_sessions_risk_score_check check (risk_score between 0 and 1),
    constraint user_sessions_expires_at_check check (expires_at > created_at)
);

create index user_sessions_user_id_idx on user_sessions (user_id);
-- Each rotation leaves a revoked row behind, so the live ones, which every request asks for, are few among many.
create index user_sessions_live_idx on user_sessions (user_id) where revoked_at is null;
create index user_sessions_live_family_idx on user_sessions (family_id) where revoked_at is null;
create index user_sessions_expires_at_idx on user_sessions (expires_at);

comment on table user_sessions is
    'Refresh tokens. Rotation revokes the row and inserts its successor in the same family.';
comment on column user_sessions.family_id is
    'One sign-in and all its rotations. A revoked token that turns up again was stolen: revoke the whole family.';
comment on column user_sessions.refresh_token_hash is
    'SHA-256; the token is 256 random bits, so a slow hash would add nothing.';

create table device_trust (
    id                 uuid        not null default gen_random_uuid(),
    user_id            uuid        not null,
    device_id          uuid        not null default gen_random_uuid(),
    device_name        text        not null,
    device_type        text        not null,
    device_fingerprint text        not null,
    ip_address         inet,
    user_agent         text,
    trusted_at         timestamptz not null default now(),
    last_used_at       timestamptz not null default now(),
    expires_at         timestamptz not null default now() + interval '90 days',
    revoked_at         timestamptz,

    constraint device_trust_pkey primary key (id),
    constraint device_trust_device_id_key unique (device_id),
    constraint device_trust_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint device_trust_device_type_check check (device_type in ('mobile', 'tablet', 'desktop', 'unknown')),
    constraint device_trust_expires_at_check check (expires_at > trusted_at)
);

-- Partial, or a device once revoked could never be trusted again.
create unique index device_trust_live_key on device_trust (user_id, device_fingerprint) where revoked_at is null;
create index device_trust_user_id_idx on device_trust (user_id);

comment on table device_trust is
    'Remembered devices that skip the second factor. Trusted: revoked_at is null and expires_at > now().';

create table policies (
    id          uuid        not null default gen_random_uuid(),
    name        text        not null,
    version     integer     not null default 1,
    description text        not null default '',
    effect      text        not null,
    resource    text        not null,
    actions     text[]      not null,
    condition   jsonb       not null default '{}',
    active      boolean     not null default true,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),

    constraint policies_pkey primary key (id),
    constraint policies_name_version_key unique (name, version),
    constraint policies_version_check check (version > 0),
    constraint policies_effect_check check (effect in ('allow', 'deny')),
    constraint policies_actions_check check (cardinality(actions) > 0 and array_position(actions, null) is null),
    constraint policies_condition_check check (jsonb_typeof(condition) = 'object')
);

create unique index policies_active_key on policies (name) where active;
create index policies_active_resource_idx on policies (resource) where active;

create trigger policies_touch_updated_at
    before update on policies
    for each row execute function touch_updated_at();

comment on table policies is
    'Attribute-based access rules: deny wins over allow, and what no rule allows is denied. '
    'Old versions stay; at most one of a name is active.';
comment on column policies.condition is
    'Attributes that must match, such as user.role or consent_scopes.includes; empty: always.';

create table api_keys (
    id                  uuid        not null default gen_random_uuid(),
    name                text        not null,
    key_type            text        not null,
    key_prefix          text        not null,
    key_hash            bytea       not null,
    user_id             uuid,
    organization_id     uuid,
    scopes              text[]      not null default '{}',
    allowed_ips         inet[]      not null default '{}',
    rate_limit_per_hour integer     not null default 1000,
    description         text        not null default '',
    metadata            jsonb       not null default '{}',
    created_at          timestamptz not null default now(),
    expires_at          timestamptz,
    last_used_at        timestamptz,
    revoked_at          timestamptz,

    constraint api_keys_pkey primary key (id),
    constraint api_keys_organization_id_fkey foreign key (organization_id) references organizations (id) on delete cascade,
    constraint api_keys_key_hash_key unique (key_hash),
    constraint api_keys_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint api_keys_key_type_check check (key_type in ('service', 'partner', 'webhook')),
    -- Shorter prefixes collide among a few thousand keys, longer ones give the secret away.
    constraint api_keys_key_prefix_check check (length(key_prefix) between 12 and 20),
    constraint api_keys_key_hash_check check (octet_length(key_hash) = 32),
    constraint api_keys_owner_check
        check (
            case num_nonnulls(user_id, organization_id)
                when 0 then key_type = 'service'
                when 1 then true
                else false
            end
        ),
    constraint api_keys_scopes_check check (array_position(scopes, null) is null),
    constraint api_keys_allowed_ips_check check (array_position(allowed_ips, null) is null),
    constraint api_keys_rate_limit_per_hour_check check (rate_limit_per_hour > 0),
    constraint api_keys_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint api_keys_expires_at_check check (expires_at > created_at)
);

create index api_keys_key_prefix_idx on api_keys (key_prefix);
create index api_keys_user_id_idx on api_keys (user_id) where user_id is not null;
create index api_keys_organization_id_idx on api_keys (organization_id) where organization_id is not null;

comment on table api_keys is
    'Keys of programs; the key itself is shown once and never stored. '
    'Usable: revoked_at is null and (expires_at is null or expires_at > now()).';
comment on column api_keys.key_prefix is
    'First characters of the key, for people to recognise it by.';
comment on column api_keys.key_hash is
    'SHA-256; the key is 256 random bits, so a slow hash would add nothing.';
comment on column api_keys.user_id is
    'Owner, or else organization_id; only a service key may have neither.';
comment on column api_keys.allowed_ips is
    'Addresses or networks; empty: from anywhere.';

create table webhook_endpoints (
    id                        uuid             not null default gen_random_uuid(),
    organization_id           uuid,
    name                      text             not null,
    url                       text             not null,
    events                    text[]           not null default '{}',
    signing_secret_ciphertext bytea            not null,
    secret_key_id             text             not null,
    is_active                 boolean          not null default true,
    verify_ssl                boolean          not null default true,
    timeout_seconds           integer          not null default 30,
    max_retries               integer          not null default 3,
    retry_backoff             double precision not null default 1.5,
    created_at                timestamptz      not null default now(),
    updated_at                timestamptz      not null default now(),
    last_triggered_at         timestamptz,

    constraint webhook_endpoints_pkey primary key (id),
    constraint webhook_endpoints_organization_id_fkey foreign key (organization_id) references organizations (id) on delete cascade,
    constraint webhook_endpoints_url_check check (length(url) <= 2048 and url ~ '^https?://'),
    constraint webhook_endpoints_events_check check (array_position(events, null) is null),
    constraint webhook_endpoints_timeout_seconds_check check (timeout_seconds between 1 and 300),
    constraint webhook_endpoints_max_retries_check check (max_retries between 0 and 20),
    -- The upper bound is there for NaN and infinity, which Postgres holds to be greater than any number.
    constraint webhook_endpoints_retry_backoff_check check (retry_backoff between 1 and 100)
);

create index webhook_endpoints_organization_id_idx on webhook_endpoints (organization_id) where organization_id is not null;
create index webhook_endpoints_events_idx on webhook_endpoints using gin (events);

create trigger webhook_endpoints_touch_updated_at
    before update on webhook_endpoints
    for each row execute function touch_updated_at();

comment on table webhook_endpoints is
    'Where events are sent, and how hard to try.';
comment on column webhook_endpoints.organization_id is
    'Null: an endpoint of the platform itself.';
comment on column webhook_endpoints.signing_secret_ciphertext is
    'Encrypted by the application under the key secret_key_id; needed in clear to sign, so it can''t be a hash.';
comment on column webhook_endpoints.retry_backoff is
    'Factor by which each wait exceeds the one before.';

create table webhook_deliveries (
    id               uuid        not null default gen_random_uuid(),
    endpoint_id      uuid        not null,
    event_id         uuid        not null default gen_random_uuid(),
    event_type       text        not null,
    payload          jsonb       not null,
    status           text        not null default 'pending',
    response_status  smallint,
    response_body    text,
    response_headers jsonb       not null default '{}',
    attempt_count    integer     not null default 0,
    max_attempts     integer     not null default 3,
    next_retry_at    timestamptz,
    created_at       timestamptz not null default now(),
    delivered_at     timestamptz,
    failed_at        timestamptz,

    constraint webhook_deliveries_pkey primary key (id),
    constraint webhook_deliveries_endpoint_id_event_id_key unique (endpoint_id, event_id),
    constraint webhook_deliveries_endpoint_id_fkey
        foreign key (endpoint_id) references webhook_endpoints (id) on delete cascade,
    constraint webhook_deliveries_payload_check check (jsonb_typeof(payload) = 'object'),
    constraint webhook_deliveries_status_check check (status in ('pending', 'delivered', 'failed', 'retrying')),
    constraint webhook_deliveries_response_status_check check (response_status between 100 and 599),
    constraint webhook_deliveries_response_headers_check check (jsonb_typeof(response_headers) = 'object'),
    constraint webhook_deliveries_attempts_check check (attempt_count between 0 and max_attempts),
    constraint webhook_deliveries_delivered_check check ((status = 'delivered') = (delivered_at is not null))
);

create index webhook_deliveries_due_idx on webhook_deliveries (next_retry_at) where status in ('pending', 'retrying');
create index webhook_deliveries_endpoint_id_created_at_idx on webhook_deliveries (endpoint_id, created_at desc);

comment on table webhook_deliveries is
    'Queue of what is to be sent, and log of what became of it.';
comment on column webhook_deliveries.event_id is
    'The same for every endpoint that hears of the event, and unique per endpoint: queueing it twice sends it once.';
comment on column webhook_deliveries.max_attempts is
    'Taken from the endpoint when queued, so that changing the endpoint leaves what is under way alone.';

create table audit_logs (
    id               bigint      not null generated always as identity,
    user_id          uuid,
    api_key_id       uuid,
    actor_type       text        not null,
    actor_identifier text        not null,
    action           text        not null,
    resource_type    text        not null,
    resource_id      text,
    ip_address       inet,
    user_agent       text,
    request_id       text,
    changes          jsonb       not null default '{}',
    metadata         jsonb       not null default '{}',
    result           text        not null default 'success',
    error_message    text,
    "timestamp"      timestamptz not null default now(),

    constraint audit_logs_pkey primary key (id),
    constraint audit_logs_user_id_fkey foreign key (user_id) references users (id) on delete set null,
    constraint audit_logs_api_key_id_fkey foreign key (api_key_id) references api_keys (id) on delete set null,
    constraint audit_logs_actor_type_check check (actor_type in ('user', 'api_key', 'system', 'anonymous')),
    -- A pattern and not a list: a new action must not fail for want of a migration, least of all in the audit trail.
    constraint audit_logs_action_check check (action ~ '^[a-z][a-z0-9_]{1,49}$'),
    constraint audit_logs_changes_check check (jsonb_typeof(changes) = 'object'),
    constraint audit_logs_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint audit_logs_result_check check (result in ('success', 'failure', 'partial'))
);

create index audit_logs_user_id_timestamp_idx on audit_logs (user_id, "timestamp" desc);
create index audit_logs_api_key_id_idx on audit_logs (api_key_id) where api_key_id is not null;
create index audit_logs_action_timestamp_idx on audit_logs (action, "timestamp" desc);
create index audit_logs_resource_type_resource_id_idx on audit_logs (resource_type, resource_id);
create index audit_logs_request_id_idx on audit_logs (request_id) where request_id is not null;
-- Rows arrive in the order of time and are never moved: a few pages of BRIN do what a B-tree as long as the table would.
create index audit_logs_timestamp_idx on audit_logs using brin ("timestamp");

create function audit_logs_refuse_change() returns trigger
    language plpgsql
    set search_path = ''
as $$
declare
    relinked record;
begin
    -- The one change let through is a foreign key's own SET NULL: a reference becomes null, its row is gone, all else is
    -- the same byte for byte. Asking for the row, rather than for the trigger depth, keeps people from blanking it by hand.
    if tg_op = 'UPDATE' then
        relinked := new;
        relinked.user_id := old.user_id;
        relinked.api_key_id := old.api_key_id;

        if relinked operator(pg_catalog.*=) old
            and new operator(pg_catalog.*<>) old
            and (
                new.user_id is not distinct from old.user_id
                or new.user_id is null and not exists (select from public.users where id = old.user_id)
            )
            and (
                new.api_key_id is not distinct from old.api_key_id
                or new.api_key_id is null and not exists (select from public.api_keys where id = old.api_key_id)
            )
        then
            return new;
        end if;
    end if;

    raise exception using
        errcode    = 'restrict_violation',
        message    = format('audit_logs is append-only: %s refused', lower(tg_op)),
        schema     = tg_table_schema,
        table      = tg_table_name,
        constraint = 'audit_logs_append_only';
end
$$;

comment on function audit_logs_refuse_change() is
    'Trigger of audit_logs; raises 23001 with the constraint name audit_logs_append_only.';

create trigger audit_logs_append_only
    before update or delete on audit_logs
    for each row execute function audit_logs_refuse_change();

-- Truncate fires no row trigger.
create trigger audit_logs_append_only_truncate
    before truncate on audit_logs
    for each statement execute function audit_logs_refuse_change();

comment on table audit_logs is
    'Who did what, append-only: rows can''t be changed, deleted or truncated, and outlive the user and the key that they name.';
comment on column audit_logs.user_id is
    'Null: no user acted, or the user was deleted since; actor_identifier still tells.';
comment on column audit_logs.actor_identifier is
    'Name of the actor as it was then; anonymous when nobody was signed in.';
comment on column audit_logs.resource_id is
    'Text, because resources have keys of several types, and no foreign key, because the entry outlives them.';
comment on column audit_logs.request_id is
    'Joins the entries of one request.';

create table data_exports (
    id              uuid        not null default gen_random_uuid(),
    user_id         uuid,
    subject_ref     text        not null,
    requested_by    uuid,
    export_type     text        not null,
    data_categories text[]      not null default '{}',
    format          text        not null default 'json',
    file_path       text,
    file_size       bigint,
    file_hash       text,
    status          text        not null default 'pending',
    created_at      timestamptz not null default now(),
    completed_at    timestamptz,
    expires_at      timestamptz,
    downloaded_at   timestamptz,
    download_count  integer     not null default 0,
    metadata        jsonb       not null default '{}',

    constraint data_exports_pkey primary key (id),
    constraint data_exports_user_id_fkey foreign key (user_id) references users (id) on delete set null,
    constraint data_exports_requested_by_fkey foreign key (requested_by) references users (id) on delete set null,
    constraint data_exports_subject_ref_check check (subject_ref <> ''),
    constraint data_exports_export_type_check check (export_type in ('full', 'partial', 'specific')),
    constraint data_exports_data_categories_check check (array_position(data_categories, null) is null),
    constraint data_exports_format_check check (format in ('json', 'csv', 'xml')),
    constraint data_exports_file_size_check check (file_size >= 0),
    constraint data_exports_file_hash_check check (file_hash ~ '^[0-9a-f]{64}$'),
    constraint data_exports_status_check check (status in ('pending', 'processing', 'completed', 'failed', 'expired')),
    constraint data_exports_completed_check check (status <> 'completed' or completed_at is not null),
    constraint data_exports_download_count_check check (download_count >= 0),
    constraint data_exports_metadata_check check (jsonb_typeof(metadata) = 'object')
);

create index data_exports_user_id_status_idx on data_exports (user_id, status);
create index data_exports_requested_by_idx on data_exports (requested_by) where requested_by is not null;
-- For the job that removes files past their date.
create index data_exports_expires_at_idx on data_exports (expires_at) where status = 'completed';

comment on table data_exports is
    'Requests for a copy of one''s data, kept as proof when the account is gone.';
comment on column data_exports.subject_ref is
    'Whose data, as known at the time of the request; stays when user_id becomes null.';
comment on column data_exports.requested_by is
    'Who asked: the user, or staff on their behalf.';
comment on column data_exports.file_hash is
    'SHA-256 of the file in hexadecimal.';

create table data_erasures (
    id                 uuid        not null default gen_random_uuid(),
    user_id            uuid,
    subject_ref        text        not null,
    requested_by       uuid,
    erasure_type       text        not null,
    data_categories    text[]      not null default '{}',
    reason             text        not null default '',
    status             text        not null default 'pending',
    created_at         timestamptz not null default now(),
    started_at         timestamptz,
    completed_at       timestamptz,
    records_erased     integer     not null default 0,
    records_anonymized integer     not null default 0,
    errors             jsonb       not null default '[]',
    metadata           jsonb       not null default '{}',

    constraint data_erasures_pkey primary key (id),
    constraint data_erasures_user_id_fkey foreign key (user_id) references users (id) on delete set null,
    constraint data_erasures_requested_by_fkey foreign key (requested_by) references users (id) on delete set null,
    constraint data_erasures_subject_ref_check check (subject_ref <> ''),
    constraint data_erasures_erasure_type_check check (erasure_type in ('full', 'partial', 'specific')),
    constraint data_erasures_data_categories_check check (array_position(data_categories, null) is null),
    constraint data_erasures_status_check check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    constraint data_erasures_completed_check check (status <> 'completed' or completed_at is not null),
    constraint data_erasures_records_erased_check check (records_erased >= 0),
    constraint data_erasures_records_anonymized_check check (records_anonymized >= 0),
    constraint data_erasures_errors_check check (jsonb_typeof(errors) = 'array'),
    constraint data_erasures_metadata_check check (jsonb_typeof(metadata) = 'object')
);

-- Two full erasures of one person at once would count, and anonymize, what the other has already taken.
create unique index data_erasures_open_full_key on data_erasures (user_id)
    where erasure_type = 'full' and status in ('pending', 'processing');
create index data_erasures_user_id_status_idx on data_erasures (user_id, status);
create index data_erasures_requested_by_idx on data_erasures (requested_by) where requested_by is not null;
create index data_erasures_open_created_at_idx on data_erasures (created_at) where status in ('pending', 'processing');

comment on table data_erasures is
    'Requests to be forgotten, kept as proof when the account is gone.';
comment on column data_erasures.subject_ref is
    'Whose data, as known at the time of the request; stays when user_id becomes null, '
    'so it must not identify the person by itself.';
comment on column data_erasures.requested_by is
    'Who asked: the user, or staff on their behalf.';
