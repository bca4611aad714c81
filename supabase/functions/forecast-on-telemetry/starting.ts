/**
 * The result of starting the model, and the request that both ways of starting it make.
 *
 * Failures are data, not exceptions: each has a type, a message with the cure, and, where the other
 * side asks for it, a time to wait.
 */

export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly retryAfterS?: number;
}

export type Started = { readonly ok: true } | { readonly ok: false; readonly error: Failure };

export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** The days and the token of a claim, for the run that the start makes. */
export interface Start {
  readonly token: string;
  readonly firstDay: string;
  readonly lastDay: string;
}

const MOST_OF_A_MESSAGE = 500;

/** A day: whoever asks for more is asked again tomorrow. */
const LONGEST_WAIT_S = 86_400;

export const MAY_HAVE_STARTED =
  "It may have started all the same; a second start finds nothing to do.";

export function failed(type: string, message: string, retryAfterS?: number): Started {
  const error = { type, message: message.replace(/[\s\0]+/g, " ").slice(0, MOST_OF_A_MESSAGE) };
  if (retryAfterS === undefined) {
    return { ok: false, error };
  }
  return { ok: false, error: { ...error, retryAfterS: Math.min(retryAfterS, LONGEST_WAIT_S) } };
}

/** Posts JSON and returns the answer, whatever its status, or why there is none. */
export async function post(
  name: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  timeoutMs: number,
): Promise<Answered | Started> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", "user-agent": "grid-assets" },
      body: JSON.stringify(body),
      redirect: "manual", // a redirected POST would take the token to another address
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status, headers: sent } = response;
    return { status, headers: sent, text: await response.text() };
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") {
      return failed(
        "TimedOut",
        `${name} did not answer within ${timeoutMs / 1000} s. ${MAY_HAVE_STARTED}`,
      );
    }
    const reason = reasonOf(error);
    return failed("Unreachable", `${name} cannot be reached, or the connection broke: ${reason}.`);
  }
}

/** The innermost cause: "fetch failed" alone says nothing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

/** The seconds that Retry-After asks to wait, as a number or a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) {
    return undefined;
  }
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** The JSON object in a text, or undefined if it holds anything else. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Readonly<Record<string, unknown>>
    : undefined;
}

export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
