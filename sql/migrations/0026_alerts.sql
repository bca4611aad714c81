-- Alerts that people set, what each cycle made of them, and what was delivered.

-- ops.alerts: one row is one question that a person wants an answer to without asking again. People
-- add, change and delete rows with SQL; the pipeline only reads them. Unique: alert_id, and the name.
-- A change of what is asked sets changed_at, and the alert starts anew. Nothing here is secret: a
-- message goes to the addresses in GRID_ALARM_URLS, of which a row can only choose one by its place.
CREATE TABLE ops.alerts (
    alert_id         integer      GENERATED ALWAYS AS IDENTITY,
    name             text         NOT NULL,
    kind             text         NOT NULL,
    region_id        smallint,
    below_gco2_kwh   numeric(5,1),
    duration_minutes integer,
    within_hours     integer,
    notice_minutes   integer,
    silent_minutes   integer,
    quiet_minutes    integer      NOT NULL DEFAULT 180,
    url_number       smallint,
    is_on            boolean      NOT NULL DEFAULT true,
    in_demo          boolean      NOT NULL DEFAULT false,
    changed_at       timestamptz  NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT alerts_pk PRIMARY KEY (alert_id),
    CONSTRAINT alerts_name_once UNIQUE (name),
    CONSTRAINT alerts_name_is_one_line_of_up_to_80_characters
        CHECK (name ~ '\S' AND name !~ '[[:cntrl:]]' AND length(name) <= 80),
    CONSTRAINT alerts_kind_is_below_greenest_window_or_no_telemetry
        CHECK (kind IN ('below', 'greenest_window', 'no_telemetry')),
    CONSTRAINT alerts_region_known FOREIGN KEY (region_id) REFERENCES core.regions,
    CONSTRAINT alerts_only_below_has_below_gco2_kwh
        CHECK ((kind = 'below') = (below_gco2_kwh IS NOT NULL)),
    CONSTRAINT alerts_forecasts_have_duration_minutes_and_within_hours
        CHECK (num_nonnulls(duration_minutes, within_hours) = CASE kind WHEN 'no_telemetry' THEN 0 ELSE 2 END),
    CONSTRAINT alerts_only_greenest_window_has_notice_minutes
        CHECK ((kind = 'greenest_window') = (notice_minutes IS NOT NULL)),
    CONSTRAINT alerts_only_no_telemetry_has_silent_minutes
        CHECK ((kind = 'no_telemetry') = (silent_minutes IS NOT NULL)),
    CONSTRAINT alerts_no_telemetry_is_of_no_region
        CHECK (kind <> 'no_telemetry' OR region_id IS NULL),
    CONSTRAINT alerts_below_gco2_kwh_above_0_up_to_1000
        CHECK (below_gco2_kwh > 0 AND below_gco2_kwh <= 1000),
    CONSTRAINT alerts_duration_minutes_in_whole_half_hours
        CHECK (duration_minutes > 0 AND duration_minutes % 30 = 0),
    CONSTRAINT alerts_within_hours_from_1_to_48 CHECK (within_hours BETWEEN 1 AND 48),
    CONSTRAINT alerts_duration_minutes_fit_into_within_hours
        CHECK (duration_minutes <= within_hours * 60),
    -- otherwise the window would always be about to begin
    CONSTRAINT alerts_notice_and_duration_leave_hours_to_choose_from
        CHECK (notice_minutes + duration_minutes < within_hours * 60),
    -- cycles are half an hour apart: with less, a window could begin unnoticed between two
    CONSTRAINT alerts_notice_minutes_from_30_to_1440 CHECK (notice_minutes BETWEEN 30 AND 1440),
    -- the newest half-hour is up to 42 minutes over when all is well
    CONSTRAINT alerts_silent_minutes_from_60_to_10080 CHECK (silent_minutes BETWEEN 60 AND 10080),
    CONSTRAINT alerts_quiet_minutes_from_0_to_10080 CHECK (quiet_minutes BETWEEN 0 AND 10080),
    CONSTRAINT alerts_url_number_from_1 CHECK (url_number >= 1)
);
COMMENT ON TABLE ops.alerts IS 'Alerts that people set with INSERT, judged in every cycle; docs/alerts.md has examples. Holds no address and no secret: messages go to GRID_ALARM_URLS.';
COMMENT ON COLUMN ops.alerts.alert_id IS 'Number of the alert; messages name it.';
COMMENT ON COLUMN ops.alerts.name IS 'What the person calls it, shown first in each message, such as Charge the car.';
COMMENT ON COLUMN ops.alerts.kind IS 'below: forecast below_gco2_kwh for duration_minutes without a break, all within within_hours of the next half-hour. greenest_window: the greenest duration_minutes of these hours begin in notice_minutes or less. no_telemetry: no half-hour of intensity or mix is newer than silent_minutes.';
COMMENT ON COLUMN ops.alerts.region_id IS 'Region whose forecast is judged, core.regions: as consumed there. Null: Great Britain, as generated.';
COMMENT ON COLUMN ops.alerts.below_gco2_kwh IS 'Limit of a below alert, gCO2/kWh; the forecast must be lower.';
COMMENT ON COLUMN ops.alerts.duration_minutes IS 'Length of the stretch or window in whole half-hours, minutes.';
COMMENT ON COLUMN ops.alerts.within_hours IS 'How far ahead the stretch or window must have ended, hours.';
COMMENT ON COLUMN ops.alerts.notice_minutes IS 'How long before the greenest window begins it is told, at most; minutes. At least 30, as cycles are half an hour apart.';
COMMENT ON COLUMN ops.alerts.silent_minutes IS 'Minutes since the end of the newest half-hour with an actual or a mix after which a no_telemetry alert is met.';
COMMENT ON COLUMN ops.alerts.quiet_minutes IS 'What begins up to this many minutes after an event belongs to the same event, and is not told again.';
COMMENT ON COLUMN ops.alerts.url_number IS 'Place in GRID_ALARM_URLS, from 1, of the only address that gets the messages; null: all of them.';
COMMENT ON COLUMN ops.alerts.is_on IS 'Whether it is judged. False switches it off without forgetting it.';
COMMENT ON COLUMN ops.alerts.in_demo IS 'Whether it is also delivered from recorded data, in a warehouse stamped replay.';
COMMENT ON COLUMN ops.alerts.changed_at IS 'When it was added, or what it asks was last changed; set by a trigger. Earlier events no longer count.';

CREATE FUNCTION ops.restart_alert() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION ops.restart_alert() IS 'Trigger of ops.alerts: another question is a new alert, whose events are told again.';
CREATE TRIGGER restart_alert BEFORE UPDATE ON ops.alerts FOR EACH ROW
    WHEN ((OLD.kind, OLD.region_id, OLD.below_gco2_kwh, OLD.duration_minutes, OLD.within_hours,
           OLD.notice_minutes, OLD.silent_minutes, OLD.changed_at)
          IS DISTINCT FROM
          (NEW.kind, NEW.region_id, NEW.below_gco2_kwh, NEW.duration_minutes, NEW.within_hours,
           NEW.notice_minutes, NEW.silent_minutes, NEW.changed_at))
    EXECUTE FUNCTION ops.restart_alert();

-- ops.alert_judgements: one row is a time over which the cycles said the same of one alert. A cycle
-- that says the same again moves last_at; one that says something else adds a row. So a time in which
-- an alert could not be judged is on record. Unique: alert_id and first_at. The alert may be gone.
CREATE TABLE ops.alert_judgements (
    alert_id integer     NOT NULL,
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL,
    times    integer     NOT NULL DEFAULT 1,
    outcome  text        NOT NULL,
    reason   text,
    CONSTRAINT alert_judgements_pk PRIMARY KEY (alert_id, first_at),
    CONSTRAINT alert_judgements_in_order CHECK (first_at <= last_at),
    CONSTRAINT alert_judgements_counted CHECK (times >= 1),
    CONSTRAINT alert_judgements_outcome_known
        CHECK (outcome IN ('met', 'not_met', 'no_data', 'failed', 'demo')),
    CONSTRAINT alert_judgements_reason_where_not_judged
        CHECK ((outcome IN ('met', 'not_met')) = (reason IS NULL))
);
COMMENT ON TABLE ops.alert_judgements IS 'What the cycles said of each alert, one row for each change.';
COMMENT ON COLUMN ops.alert_judgements.alert_id IS 'Alert, ops.alerts; it may have been deleted since.';
COMMENT ON COLUMN ops.alert_judgements.first_at IS 'First cycle that said this.';
COMMENT ON COLUMN ops.alert_judgements.last_at IS 'Last cycle that said this.';
COMMENT ON COLUMN ops.alert_judgements.times IS 'Number of cycles that said this.';
COMMENT ON COLUMN ops.alert_judgements.outcome IS 'met; not_met; no_data: no forecast reaches, or there is no telemetry yet; failed: an error; demo: recorded data, and in_demo is false.';
COMMENT ON COLUMN ops.alert_judgements.reason IS 'Why it was not judged; null where it was.';

-- ops.alert_deliveries: one row is one event of one alert and the delivery of its message. Unique:
-- delivery_id; of one alert no two events that count overlap, which holds because cycles judge one
-- after another, under the lock of this relation. Whoever delivers holds the row's lock, so that two
-- cycles send it once. A row whose event goes on is extended; nothing is deleted. Keeps name and text,
-- because the alert may be changed or gone.
CREATE TABLE ops.alert_deliveries (
    delivery_id     bigint      GENERATED ALWAYS AS IDENTITY,
    alert_id        integer     NOT NULL,
    alert_name      text        NOT NULL,
    alert_changed   timestamptz NOT NULL,
    event_start     timestamptz NOT NULL,
    event_end       timestamptz NOT NULL,
    found_at        timestamptz NOT NULL,
    title           text        NOT NULL,
    body            text        NOT NULL,
    status          text        NOT NULL DEFAULT 'pending',
    attempts        integer     NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    delivered_to    smallint[]  NOT NULL DEFAULT '{}',
    closed_at       timestamptz,
    error_type      text,
    error_message   text,
    CONSTRAINT alert_deliveries_pk PRIMARY KEY (delivery_id),
    CONSTRAINT alert_deliveries_event_in_order CHECK (event_start <= event_end),
    CONSTRAINT alert_deliveries_status_known
        CHECK (status IN ('pending', 'delivered', 'withdrawn', 'expired')),
    CONSTRAINT alert_deliveries_closed_unless_pending CHECK ((status = 'pending') = (closed_at IS NULL)),
    CONSTRAINT alert_deliveries_attempts_counted CHECK (attempts >= 0),
    CONSTRAINT alert_deliveries_attempted CHECK ((attempts > 0) = (last_attempt_at IS NOT NULL)),
    CONSTRAINT alert_deliveries_delivered_somewhere CHECK (status <> 'delivered' OR delivered_to <> '{}'),
    CONSTRAINT alert_deliveries_error_has_a_message CHECK ((error_type IS NULL) = (error_message IS NULL))
);
CREATE INDEX alert_deliveries_by_alert ON ops.alert_deliveries (alert_id, event_end);
CREATE INDEX alert_deliveries_pending ON ops.alert_deliveries (found_at) WHERE status = 'pending';
COMMENT ON TABLE ops.alert_deliveries IS 'Events of alerts, and the delivery of each: what was sent, when, after how many attempts, and why not.';
COMMENT ON COLUMN ops.alert_deliveries.delivery_id IS 'Number of the event.';
COMMENT ON COLUMN ops.alert_deliveries.alert_id IS 'Alert, ops.alerts; it may have been deleted since.';
COMMENT ON COLUMN ops.alert_deliveries.alert_name IS 'Name of the alert at that time.';
COMMENT ON COLUMN ops.alert_deliveries.alert_changed IS 'changed_at of the alert that this is an event of: after a change of what is asked, earlier events do not count.';
COMMENT ON COLUMN ops.alert_deliveries.event_start IS 'Start of the stretch or window as first found or last seen before it was delivered; of a silence, the end of the newest half-hour.';
COMMENT ON COLUMN ops.alert_deliveries.event_end IS 'End of the stretch or window, or of the silence so far; moves on while the event goes on.';
COMMENT ON COLUMN ops.alert_deliveries.found_at IS 'Cycle that found the event.';
COMMENT ON COLUMN ops.alert_deliveries.title IS 'First line of the message.';
COMMENT ON COLUMN ops.alert_deliveries.body IS 'Text of the message.';
COMMENT ON COLUMN ops.alert_deliveries.status IS 'pending: to be sent, or tried again in the next cycle. delivered: every address took it. withdrawn: it no longer held, or the alert was changed, switched off or deleted. expired: it was over before every address took it.';
COMMENT ON COLUMN ops.alert_deliveries.attempts IS 'Cycles that tried to send it.';
COMMENT ON COLUMN ops.alert_deliveries.last_attempt_at IS 'When it was last tried.';
COMMENT ON COLUMN ops.alert_deliveries.delivered_to IS 'Places in GRID_ALARM_URLS, from 1, of the addresses that took it; only the others are tried again.';
COMMENT ON COLUMN ops.alert_deliveries.closed_at IS 'When it was delivered, withdrawn or expired; null while pending.';
COMMENT ON COLUMN ops.alert_deliveries.error_type IS 'What went wrong in the last attempt; null if nothing did.';
COMMENT ON COLUMN ops.alert_deliveries.error_message IS 'The same in a sentence, without any address.';

INSERT INTO ops.locks (name) VALUES ('ops.alert_deliveries') ON CONFLICT DO NOTHING;
