-- Removes organizations and members, and returns the organization columns of the users app to plain columns.

-- While the foreign keys stand, they clean up behind the rows by their own rules. Dropped first, they would leave ids of
-- nothing in users, grants, keys and endpoints: keys that outlive their owner, and a next up that fails to validate.
delete from organizations;

alter table webhook_endpoints drop constraint webhook_endpoints_organization_id_fkey;
alter table api_keys drop constraint api_keys_organization_id_fkey;
alter table user_roles drop constraint user_roles_org_id_fkey;
alter table users drop constraint users_org_id_fkey;

drop table organization_members;
drop table organizations;
