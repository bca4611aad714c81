-- ops.locks: one row is one lock that writers of a relation, or migrations, take turns with. Whoever
-- marks the row (FOR UPDATE) has it until the end of the transaction. A session that may not read
-- this table, such as one of grid_reader, can hold no writer up, which an advisory lock allows.
-- Unique: name. Every migration adds rows for new relations, so that a lock's holder can be found by
-- its row; a lock of another name adds its own. Nothing changes or deletes a row.
-- Made at the start of a migration, which takes a lock itself. It gets its owner here, because the
-- end of a migration cannot change a table in which others wait for its lock.
CREATE TABLE IF NOT EXISTS ops.locks (
    name     text        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT locks_pk PRIMARY KEY (name)
);
COMMENT ON TABLE ops.locks IS 'Locks that writers take turns with: one row per relation, and one for migrations.';
COMMENT ON COLUMN ops.locks.name IS 'Relation that is written under the lock, or migrate.';
COMMENT ON COLUMN ops.locks.added_at IS 'When the row was added. Never changed: the right to change it is the right to take the lock.';
INSERT INTO ops.locks (name) VALUES ('migrate') ON CONFLICT DO NOTHING;

DO $$
BEGIN
    -- the schema first: the owner of a table needs CREATE there
    IF (SELECT nspowner FROM pg_namespace WHERE nspname = 'ops') <> 'grid_owner'::regrole THEN
        ALTER SCHEMA ops OWNER TO grid_owner;
    END IF;
    -- only if need be: it waits for whoever holds a lock, and lets nobody past meanwhile
    IF (SELECT relowner FROM pg_class WHERE oid = 'ops.locks'::regclass) <> 'grid_owner'::regrole THEN
        ALTER TABLE ops.locks OWNER TO grid_owner;
    END IF;
END
$$;
