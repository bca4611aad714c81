-- ops.warehouse: one row, ever. Says whether this database holds live or recorded data.
-- A process of the other kind refuses to write.
CREATE TABLE ops.warehouse (
    only_row     boolean     NOT NULL DEFAULT true,
    kind         text        NOT NULL,
    shift_weeks  integer,
    stamped_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT warehouse_pk PRIMARY KEY (only_row),
    CONSTRAINT warehouse_has_one_row CHECK (only_row),
    CONSTRAINT warehouse_kind_known CHECK (kind IN ('live', 'replay')),
    CONSTRAINT warehouse_shift_belongs_to_replay CHECK ((kind = 'replay') = (shift_weeks IS NOT NULL))
);
COMMENT ON TABLE ops.warehouse IS 'One row: what kind of data this database holds.';
COMMENT ON COLUMN ops.warehouse.only_row IS 'Always true; makes a second row impossible.';
COMMENT ON COLUMN ops.warehouse.kind IS 'live or replay; set by the first migration and never changed.';
COMMENT ON COLUMN ops.warehouse.shift_weeks IS 'Whole weeks by which the recording is moved towards now; null for live data.';
COMMENT ON COLUMN ops.warehouse.stamped_at IS 'When the stamp was set.';

-- ops.etl_runs: one row is one attempt to materialise one asset.
-- Unique: run, asset, attempt. A retry within a run adds a row; nothing updates a finished one.
CREATE TABLE ops.etl_runs (
    run_id            text        NOT NULL,
    asset             text        NOT NULL,
    attempt           integer     NOT NULL,
    trigger           text        NOT NULL,
    partition_start   date        NOT NULL,
    partition_end     date        NOT NULL,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    execution_time_ms bigint,
    rows_fetched      bigint      NOT NULL DEFAULT 0,
    rows_written      bigint      NOT NULL DEFAULT 0,
    rows_quarantined  bigint      NOT NULL DEFAULT 0,
    status            text        NOT NULL,
    error_type        text,
    error_message     text,
    stack_trace       text,
    host              text        NOT NULL,
    pid               integer     NOT NULL,
    heartbeat_at      timestamptz NOT NULL,
    CONSTRAINT etl_runs_pk PRIMARY KEY (run_id, asset, attempt),
    CONSTRAINT etl_runs_partitions_in_order CHECK (partition_start <= partition_end),
    CONSTRAINT etl_runs_status_known CHECK (status IN ('running', 'success', 'failed', 'crashed')),
    CONSTRAINT etl_runs_finished_unless_running CHECK ((status = 'running') = (finished_at IS NULL)),
    CONSTRAINT etl_runs_error_has_a_type CHECK ((status IN ('failed', 'crashed')) = (error_type IS NOT NULL))
);
CREATE INDEX etl_runs_by_time ON ops.etl_runs (started_at DESC);
CREATE INDEX etl_runs_by_asset ON ops.etl_runs (asset, started_at DESC);
CREATE INDEX etl_runs_running ON ops.etl_runs (heartbeat_at) WHERE status = 'running';
COMMENT ON TABLE ops.etl_runs IS 'One asset materialisation attempt, written apart from the data so that a failed one leaves its row too.';
COMMENT ON COLUMN ops.etl_runs.run_id IS 'Dagster run.';
COMMENT ON COLUMN ops.etl_runs.asset IS 'Relation that the attempt writes, such as core.generation_mix.';
COMMENT ON COLUMN ops.etl_runs.attempt IS 'First attempt of this asset in this run is 1.';
COMMENT ON COLUMN ops.etl_runs.trigger IS 'What started the run: schedule, tick, backfill, or manual.';
COMMENT ON COLUMN ops.etl_runs.partition_start IS 'First UTC day, included.';
COMMENT ON COLUMN ops.etl_runs.partition_end IS 'Last UTC day, included.';
COMMENT ON COLUMN ops.etl_runs.started_at IS 'Start of the attempt.';
COMMENT ON COLUMN ops.etl_runs.finished_at IS 'End of the attempt; null while it runs. For a crashed one, when the crash was noticed.';
COMMENT ON COLUMN ops.etl_runs.execution_time_ms IS 'Milliseconds from start to end; null for a crashed attempt, whose end nobody saw.';
COMMENT ON COLUMN ops.etl_runs.rows_fetched IS 'Records judged: received from the API, or read from raw.';
COMMENT ON COLUMN ops.etl_runs.rows_written IS 'Rows added or changed; a re-run that changes nothing writes 0.';
COMMENT ON COLUMN ops.etl_runs.rows_quarantined IS 'Records or bodies rejected by this attempt.';
COMMENT ON COLUMN ops.etl_runs.status IS 'running, success, failed, or crashed (the process died).';
COMMENT ON COLUMN ops.etl_runs.error_type IS 'Exception class of a failure.';
COMMENT ON COLUMN ops.etl_runs.error_message IS 'What went wrong and what to change, without secrets.';
COMMENT ON COLUMN ops.etl_runs.stack_trace IS 'Python stack trace of a failure, without secrets.';
COMMENT ON COLUMN ops.etl_runs.host IS 'Machine and process space that the process id belongs to.';
COMMENT ON COLUMN ops.etl_runs.pid IS 'Process id of the attempt.';
COMMENT ON COLUMN ops.etl_runs.heartbeat_at IS 'Last sign of life of the attempt.';

-- ops.quarantine: one row is one rejected record, or one rejected body.
-- Unique: the open entry of one asset for one payload (and, for a body, one request). Seeing the
-- same again counts up `times_seen`; nothing is deleted, a successful replay sets `resolved_at`.
CREATE TABLE ops.quarantine (
    id           bigint      GENERATED ALWAYS AS IDENTITY,
    captured_at  timestamptz NOT NULL,
    asset        text        NOT NULL,
    endpoint     text        NOT NULL,
    reason       text        NOT NULL,
    payload      text        NOT NULL,
    is_body      boolean     NOT NULL,
    run_id       text        NOT NULL,
    last_seen_at timestamptz NOT NULL,
    times_seen   integer     NOT NULL DEFAULT 1,
    resolved_at  timestamptz,
    CONSTRAINT quarantine_pk PRIMARY KEY (id)
);
CREATE UNIQUE INDEX quarantine_open_once ON ops.quarantine
    (asset, md5(payload), (CASE WHEN is_body THEN endpoint ELSE '' END)) WHERE resolved_at IS NULL;
COMMENT ON TABLE ops.quarantine IS 'Every rejected record and body with its reason; kept for ever.';
COMMENT ON COLUMN ops.quarantine.id IS 'Number of the entry.';
COMMENT ON COLUMN ops.quarantine.captured_at IS 'When it was first received.';
COMMENT ON COLUMN ops.quarantine.asset IS 'Relation that it was meant for, such as raw.generation.';
COMMENT ON COLUMN ops.quarantine.endpoint IS 'Path of the request that first brought it.';
COMMENT ON COLUMN ops.quarantine.reason IS 'Why it was rejected, in one sentence; part and fault.';
COMMENT ON COLUMN ops.quarantine.payload IS 'The record as JSON, or the body as text (its first 64 kB).';
COMMENT ON COLUMN ops.quarantine.is_body IS 'True for a whole body, false for one record.';
COMMENT ON COLUMN ops.quarantine.run_id IS 'Dagster run that first rejected it.';
COMMENT ON COLUMN ops.quarantine.last_seen_at IS 'When the same was last received.';
COMMENT ON COLUMN ops.quarantine.times_seen IS 'How often the same was received.';
COMMENT ON COLUMN ops.quarantine.resolved_at IS 'When a replay accepted it; null while it is open.';
