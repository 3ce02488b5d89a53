-- What the table of this app should be: how far each user has come with each piece of content.

create table progress (
    id                    uuid             not null default gen_random_uuid(),
    user_id               uuid             not null,
    content_type          text             not null,
    content_id            text             not null,
    status                text             not null default 'not_started',
    completion_percentage smallint         not null default 0,
    score                 double precision,
    started_at            timestamptz,
    completed_at          timestamptz,
    created_at            timestamptz      not null default now(),
    updated_at            timestamptz      not null default now(),
    metadata              jsonb            not null default '{}',

    constraint progress_pkey primary key (id),
    constraint progress_user_id_content_type_content_id_key unique (user_id, content_type, content_id),
    constraint progress_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint progress_status_check check (status in ('not_started', 'in_progress', 'completed', 'paused')),
    constraint progress_completion_percentage_check check (completion_percentage between 0 and 100),
    -- The upper bound is there for NaN and infinity, which Postgres holds to be greater than any number.
    constraint progress_score_check check (score >= 0 and score < 'infinity'),
    constraint progress_completed_check check (status <> 'completed' or completed_at is not null),
    constraint progress_metadata_check check (jsonb_typeof(metadata) = 'object')
);

create index progress_content_type_content_id_idx on progress (content_type, content_id);

create trigger progress_touch_updated_at
    before update on progress
    for each row execute function touch_updated_at();

comment on table progress is
    'How far a user has come with a piece of content, one row for each.';
comment on column progress.content_id is
    'Key in the content system, which lives outside this database; unique within content_type.';
comment on column progress.content_type is
    'course, module, lesson or another kind that the content system knows.';
comment on column progress.score is
    'In points of the content''s own scale; null: not scored.';
