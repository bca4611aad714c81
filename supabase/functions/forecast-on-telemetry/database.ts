/**
 * The questions that a function may ask the warehouse, as the role grid_waker.
 *
 * Connections go through a pooler in transaction mode: no prepared statements, nothing kept between
 * statements. A claim and a report are asked again, with the same token, after a lost connection:
 * the token makes the second time harmless.
 */

import postgres from "postgres";

import { pause } from "./background.ts";
import type { Reason } from "./requests.ts";
import type { Started } from "./starting.ts";

/** What the warehouse decides about one wake-up. Days are ISO dates. */
export interface Claim {
  readonly decision: string;
  readonly retry_after_s: number | null;
  readonly first_day: string | null;
  readonly last_day: string | null;
}

/** A message about an alarm, to be sent. */
export interface Alarm {
  readonly message_id: string;
  readonly title: string;
  readonly body: string;
}

export class DatabaseFailure extends Error {
  /** Whether the connection failed, and not the statement. */
  readonly isLost: boolean;

  constructor(message: string, isLost: boolean) {
    super(message);
    this.isLost = isLost;
  }

  get type(): string {
    return this.isLost ? "DatabaseUnreachable" : "DatabaseRefused";
  }
}

const PAUSES_MS = [200, 1_000];

/** One for claims, which take turns, and one for reports and refusals. */
const MOST_CONNECTIONS = 2;

/** SQLSTATEs of a server or a pooler that is away, restarting or full, and of lost races. */
const LOST = /^(08...|57P..|53300|40001|40P01)$/;

export class Database {
  readonly #url: string;
  readonly #timeoutMs: number;
  #client: postgres.Sql | undefined;

  constructor(url: string, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
  }

  async claim(token: string, source: string): Promise<Claim> {
    const rows = await this.#askAgain((sql) =>
      sql<Claim[]>`
        SELECT decision, retry_after_s, first_day::text, last_day::text
        FROM ops.claim_forecast(${token}::uuid, ${source}::text)`
    );
    const claim = rows[0];
    if (claim === undefined) {
      throw new DatabaseFailure("ops.claim_forecast returned no row.", false);
    }
    return claim;
  }

  async report(token: string, by: string, result: Started): Promise<void> {
    const { type = null, message = null, retryAfterS = null } = result.ok ? {} : result.error;
    await this.#askAgain((sql) =>
      sql`
        SELECT FROM ops.report_start(
          ${token}::uuid, ${by}::text, ${type}::text, ${message}::text, ${retryAfterS}::integer)`
    );
  }

  /** Not asked again: after a lost connection it is unknown whether the sum was added. */
  async refuse(reason: Reason, times: number): Promise<void> {
    await this.#ask((sql) =>
      sql`SELECT FROM ops.refuse_wakeups(${reason}::text, ${times}::integer)`
    );
  }

  /** Not asked again: the message of the first time may be on record, and `grid` sends that. */
  async raiseAlarm(reason: string, addresses: number): Promise<Alarm | undefined> {
    const rows = await this.#ask((sql) =>
      sql<Alarm[]>`
        SELECT message_id::text, title, body
        FROM ops.raise_start_alarm(${reason}::text, ${addresses}::integer)`
    );
    return rows[0];
  }

  async noteAlarmSent(message: string, took: readonly number[], addresses: number): Promise<void> {
    const places = `{${took.join(",")}}`;
    await this.#askAgain((sql) =>
      sql`
        SELECT FROM ops.note_alarm_sent(
          ${message}::bigint, ${places}::text::smallint[], ${addresses}::integer)`
    );
  }

  async #askAgain<T>(query: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    for (const ms of PAUSES_MS) {
      try {
        return await this.#ask(query);
      } catch (error) {
        if (!(error instanceof DatabaseFailure && error.isLost)) {
          throw error;
        }
        await pause(ms);
      }
    }
    return await this.#ask(query);
  }

  async #ask<T>(query: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const client = this.#client ??= connect(this.#url, this.#timeoutMs);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const failure = new DatabaseFailure(`No answer within ${this.#timeoutMs / 1000} s.`, true);
      timer = setTimeout(() => reject(failure), this.#timeoutMs);
    });
    try {
      return await Promise.race([query(client), late]);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.isLost && this.#client === client) {
        // A worker that was frozen may hold connections that are dead and do not know it.
        this.#client = undefined;
        client.end({ timeout: 0 }).catch(() => {});
      }
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }
}

function connect(url: string, timeoutMs: number): postgres.Sql {
  return postgres(url, {
    prepare: false,
    fetch_types: false, // saves a question for each connection; no arrays are read
    max: MOST_CONNECTIONS,
    idle_timeout: 20,
    connect_timeout: timeoutMs / 1000,
    connection: { application_name: "forecast-on-telemetry" },
    onnotice: () => {},
    ...encryption(url),
  });
}

/** What the URL says with `sslmode`; without it, TLS for every server but one on this machine. */
function encryption(url: string): { ssl?: "require" } {
  const { hostname, searchParams } = new URL(url);
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  return isHere || searchParams.has("sslmode") ? {} : { ssl: "require" };
}

function asFailure(error: unknown): DatabaseFailure {
  if (error instanceof DatabaseFailure) {
    return error;
  }
  if (error instanceof postgres.PostgresError) {
    return new DatabaseFailure(`${error.message} (SQLSTATE ${error.code})`, LOST.test(error.code));
  }
  return new DatabaseFailure(error instanceof Error ? error.message : String(error), true);
}
