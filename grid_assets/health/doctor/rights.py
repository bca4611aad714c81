"""Who the login is and what it may do, the three roles, the schema, and who else could read it."""

from __future__ import annotations

from psycopg import sql

from grid_assets.health.doctor.case import MEMBERSHIP, Case, Finding, User, mend, note, ok
from grid_assets.sources.carbon_intensity.client import probe_replay
from grid_assets.sources.http.session import is_loopback
from grid_assets.warehouse.connection import read_only_reason
from grid_assets.warehouse.migrate import is_current
from grid_assets.warehouse.stamp import Stamp, read_stamp, refuse_other_kind
from grid_assets.warehouse.statements import statement


def rights(case: Case) -> Finding:
    return judge_rights(case.user, case.missing_roles)


def judge_rights(user: User, missing: list[str]) -> Finding:
    """`missing` are the statements that `sql/roles.sql` finds for this user."""
    roles = [role for role in user.acts_as if role != user.name]
    role = "a superuser" if user.is_superuser else f"acts as {', '.join(roles)}" if roles else ""
    who = f"{user.name} ({role})" if role else user.name
    name, database = (sql.Identifier(text).as_string() for text in (user.name, user.database))
    may_migrate = user.may_migrate(missing)
    stage = f"GRANT TEMPORARY ON DATABASE {database} TO {name};"
    if not user.is_set_up:
        if not user.may_own:
            return mend(
                f"{who} may not create schemas in this database, so it cannot set it up. Have its "
                f"owner run: GRANT CREATE, TEMPORARY ON DATABASE {database} TO {name};"
            )
        if not may_migrate:
            return mend(
                f"{who} may not set up this database before an administrator has run what the line "
                "`roles` shows."
            )
        if not user.may_stage:
            return mend(f"{who} may make no temporary tables, which loading needs. Run: {stage}")
        return ok(f"{who} may set up this database and load.")
    if not user.may_load:
        if user.name == "grid_waker":
            return mend(
                "grid_waker is the login of the edge function and may only wake. Name another user "
                "in GRID_DATABASE_URL."
            )
        only = "may only read `reporting`" if user.may_report else "has no rights to the warehouse"
        return mend(
            f"{who} {only}, so nothing can be loaded. Name another user in GRID_DATABASE_URL, or "
            f"have an administrator run: GRANT grid_writer TO {name};"
        )
    if not user.may_stage:
        return mend(
            f"{who} may make no temporary tables, which loading needs. Have the owner of the "
            f"database run: {stage}"
        )
    if may_migrate:
        return ok(f"{who} may load and migrate.")
    return ok(f"{who} may load. Upgrades need `grid migrate` as grid_owner.")


def writable(case: Case) -> Finding:
    reason = read_only_reason(case.connection)
    if reason is None:
        return ok("The database takes writes.")
    if case.user.is_set_up and not case.user.may_load and "default_" in reason:
        return note("Transactions are read-only for this user, which may not load anyway.")
    return mend(f"Nothing can be loaded. {reason}")


def roles(case: Case) -> Finding:
    user = case.user
    # A user that only loads need not be a member of the owner.
    needed = [
        text for text in case.missing_roles if not (user.is_set_up and text.startswith(MEMBERSHIP))
    ]
    if not needed:
        closed = []
        if user.roles_exist:
            with case.reading() as connection:
                closed = connection.execute(statement("database_rights")).fetchall()
        if closed and user.is_set_up:
            return note(
                "The roles may not connect to this database. If you use them, have its owner run: "
                f"{_script([text for (text,) in closed])}"
            )
        return ok("grid_owner, grid_writer and grid_reader are complete.")
    if user.may_change_roles:
        return note(f"Incomplete. `grid migrate` completes them: {_script(needed)}")
    return mend(
        f"Incomplete, and {user.name} may not change roles. Have an administrator of the server "
        f"run: {_script(needed)}"
    )


def schema(case: Case) -> Finding:
    user = case.user
    if not user.is_set_up:
        return note("Not set up yet. `grid migrate` does it; so do `grid up` and `grid tick`.")
    if not user.may_inspect:
        return note("Set up. This user may not read `ops`, so its version is unknown.")
    with case.reading() as connection:
        stamp = read_stamp(connection)
        current = is_current(connection)
    if stamp is not None and case.api_url is not None:
        replay = probe_replay(case.api_url)
        served = Stamp("replay", replay.shift_weeks) if replay else Stamp("live")
        # An API on this machine that does not answer may be a replay that is not up yet.
        if replay or not is_loopback(case.api_url):
            refuse_other_kind(stamp, served, case.url)
    if stamp is None or not current:
        by = "" if user.may_migrate(case.missing_roles) else " as the owner or as grid_owner"
        return mend(f"The schema is older than this version. Run `grid migrate`{by}.")
    return ok(f"Current; it holds {stamp}.")


def exposed(case: Case) -> Finding:
    with case.reading() as connection:
        found = [text for (text,) in connection.execute(statement("health/find_exposed"))]
        has_data_api = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon')"
        ).fetchone()
    if found:
        return mend(
            "Others than the warehouse's own roles have rights to it: on Supabase perhaps everyone "
            f"on the internet. Have the owner run: {_script(found)}"
        )
    if has_data_api == (True,):
        return ok(
            "Nothing is granted to anon, authenticated or everyone. Also leave our schemas out of "
            "Exposed schemas in the project's API settings."
        )
    return ok("Nothing is granted to everyone.")


def _script(statements: list[str]) -> str:
    return "; ".join(statements) + ";"
