-- Notes new telemetry, and sends a database webhook for it: one or two for each publication, however
-- many half-hours it has. Published telemetry never depends on the webhook (ops.note_telemetry).
{% for table in ("core.intensity", "core.generation_mix") %}
CREATE OR REPLACE TRIGGER note_new_telemetry AFTER INSERT ON {{ table }}
    REFERENCING NEW TABLE AS landed FOR EACH STATEMENT EXECUTE FUNCTION ops.note_telemetry();
CREATE OR REPLACE TRIGGER note_changed_telemetry AFTER UPDATE ON {{ table }}
    REFERENCING NEW TABLE AS landed FOR EACH STATEMENT EXECUTE FUNCTION ops.note_telemetry();
{% endfor %}
CREATE OR REPLACE TRIGGER forecast_on_telemetry AFTER INSERT OR UPDATE ON ops.telemetry_landed
    FOR EACH ROW EXECUTE FUNCTION supabase_functions.http_request({url}, 'POST', {headers}, '{{ "{{}}" }}', '5000');
