/**
 * Starts a forecast when new telemetry is in the warehouse. A database webhook and pg_cron wake it.
 *
 * A wake-up only means "look": whether a forecast is due, and whether this wake-up may start it, is
 * decided by ops.claim_forecast from the tables. A lost, doubled or late wake-up therefore changes
 * nothing but the delay. Killed after a claim, the claim runs out and the next wake-up starts it.
 */

import { tellStartFailed } from "./alarms.ts";
import { inBackground, logError, logInfo, pause } from "./background.ts";
import { startByDagster } from "./dagster.ts";
import { type Claim, Database, DatabaseFailure } from "./database.ts";
import { startByGitHub } from "./github.ts";
import { Refusals } from "./refusals.ts";
import { answer, discardBody, gatekeeper, refusal, sourceOf } from "./requests.ts";
import { concealer, type Problem, readSecret, readSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { failed, type Start, type Started } from "./starting.ts";
import { inTurn } from "./turns.ts";

/** A flood of wake-ups asks the warehouse about twenty times a second, and never twice at once. */
const REST_MS = 50;

/** Intensity and mix end seconds apart; after that, the next wake-up looks. */
const MOST_SETTLING = 5;

type Handler = (request: Request) => Response | Promise<Response>;

/** A claim, and the start that it led to. */
interface Looked {
  readonly token: string;
  readonly claim: Claim;
  readonly started: Promise<{ result: Started; reported: boolean }> | undefined;
}

function serve(secret: string, settings: Settings): Handler {
  const conceal = concealer(secret, settings);
  const database = new Database(settings.databaseUrl, settings.timeoutMs);
  const refusals = new Refusals(
    (reason, times) => database.refuse(reason, times),
    (reason, times, error) => {
      logError("refusals_not_written", { reason, times, message: conceal(messageOf(error)) });
    },
  );
  const refusalOf = gatekeeper(secret);
  const { way } = settings;
  let settling = 0;
  let isAskingAgain = false;

  const look = inTurn(async (source: string): Promise<Looked> => {
    const token = crypto.randomUUID();
    const claim = await database.claim(token, source);
    if (claim.decision === "settling") {
      lookAgainLater(source, claim.retry_after_s ?? 1);
    } else {
      settling = 0;
    }
    if (claim.decision !== "start") {
      return { token, claim, started: undefined };
    }
    const started = start(token, claim);
    inBackground(started);
    return { token, claim, started };
  }, REST_MS);

  function lookAgainLater(source: string, seconds: number): void {
    settling += 1;
    if (isAskingAgain || settling > MOST_SETTLING) {
      return;
    }
    isAskingAgain = true;
    const later = pause(seconds * 1000).then(() => {
      isAskingAgain = false;
      return look(source);
    });
    inBackground(later.catch((error: unknown) => unreachable(error)));
  }

  async function start(
    token: string,
    claim: Claim,
  ): Promise<{ result: Started; reported: boolean }> {
    const result = await begin({
      token,
      firstDay: claim.first_day ?? "",
      lastDay: claim.last_day ?? "",
    });
    if (result.ok) {
      logInfo("started", { by: way.kind, token });
    } else {
      logError("start_failed", { by: way.kind, token, ...result.error });
    }
    const reported = await report(token, result);
    if (!result.ok) {
      const { type, message } = result.error;
      inBackground(
        tellStartFailed(settings.alarms, database, `${type}: ${message}`, settings.timeoutMs),
      );
    }
    return { result, reported };
  }

  async function report(token: string, result: Started): Promise<boolean> {
    try {
      await database.report(token, way.kind, result);
      return true;
    } catch (error) {
      logError("start_not_reported", { token, message: conceal(messageOf(error)) });
      return false;
    }
  }

  async function begin(start: Start): Promise<Started> {
    const result = way.kind === "github"
      ? await startByGitHub(way, start, settings.timeoutMs)
      : await startByDagster(way, start, settings.timeoutMs);
    return result.ok
      ? result
      : failed(result.error.type, conceal(result.error.message), result.error.retryAfterS);
  }

  function unreachable(error: unknown): Response {
    const isLost = error instanceof DatabaseFailure && error.isLost;
    const type = error instanceof DatabaseFailure ? error.type : "UnexpectedError";
    const message = conceal(messageOf(error));
    logError("claim_failed", { type, message });
    return answer(isLost ? 503 : 500, { error: { type, message } });
  }

  async function wake(source: string): Promise<Response> {
    const looked = look(source);
    inBackground(looked);
    try {
      const { token, claim, started } = await looked;
      if (started === undefined) {
        const status = claim.decision === "settling" ? 202 : 200;
        return answer(status, { decision: claim.decision });
      }
      const { result, reported } = await started;
      const body = { decision: "start", by: way.kind, token, reported };
      return result.ok ? answer(200, body) : answer(502, { ...body, error: result.error });
    } catch (error) {
      return unreachable(error);
    }
  }

  return async (request) => {
    await discardBody(request);
    const reason = refusalOf(request);
    if (reason !== undefined) {
      refusals.add(reason);
      return refusal(reason);
    }
    return await wake(sourceOf(request));
  };
}

/** Answers every request with the setting to mend; only those who know the secret, if there is one. */
function serveProblem(problem: Problem, secret: string | undefined): Handler {
  const refusalOf = secret === undefined ? () => undefined : gatekeeper(secret);
  return async (request) => {
    await discardBody(request);
    const reason = refusalOf(request);
    if (reason !== undefined) {
      return refusal(reason);
    }
    logError("wrong_setting", { variable: problem.variable, message: problem.message });
    return answer(500, { error: { type: "WrongSetting", ...problem } });
  };
}

function handler(environment: (name: string) => string): Handler {
  const secret = readSecret(environment);
  if (typeof secret !== "string") {
    return serveProblem(secret, undefined);
  }
  const settings = readSettings(environment);
  return "variable" in settings ? serveProblem(settings, secret) : serve(secret, settings);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

Deno.serve(handler((name) => Deno.env.get(name)?.trim() ?? ""));
