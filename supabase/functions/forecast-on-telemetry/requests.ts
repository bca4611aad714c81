/**
 * What a request must look like before anything is done for it, and how it is answered.
 *
 * The body is never read: what to do is decided from the tables, so a replayed, forged or foreign
 * payload can change nothing. A caller who is refused learns no reason beyond the status.
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

export type Reason = "wrong_method" | "huge_body" | "no_secret" | "wrong_secret";

export const SECRET_HEADER = "x-grid-secret";

/** A webhook's payload is one row: some kilobytes. */
const LARGEST_BODY_BYTES = 1_000_000;

const STATUS: Readonly<Record<Reason, number>> = {
  wrong_method: 405,
  huge_body: 413,
  no_secret: 401,
  wrong_secret: 401,
};

const SAID: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  405: "Method Not Allowed",
  413: "Content Too Large",
};

/** Checks requests against one secret; undefined means that the request is accepted. */
export function gatekeeper(secret: string): (request: Request) => Reason | undefined {
  const expected = hash(secret);
  return (request) => {
    if (request.method !== "POST") {
      return "wrong_method";
    }
    if (Number(request.headers.get("content-length") ?? 0) > LARGEST_BODY_BYTES) {
      return "huge_body";
    }
    const given = request.headers.get(SECRET_HEADER);
    if (!given) {
      return "no_secret";
    }
    // Hashes have one length, and comparing them takes the same time wherever they differ.
    return timingSafeEqual(hash(given), expected) ? undefined : "wrong_secret";
  };
}

/** What woke the function, as `?source=` says. It is a label, and decides nothing. */
export function sourceOf(request: Request): string {
  const source = new URL(request.url).searchParams.get("source");
  return source === "webhook" || source === "cron" ? source : "other";
}

export function refusal(reason: Reason): Response {
  const status = STATUS[reason];
  const headers = reason === "wrong_method" ? { allow: "POST" } : undefined;
  return answer(status, { error: { type: SAID[status] } }, headers);
}

export function answer(status: number, body: unknown, headers?: HeadersInit): Response {
  const all = new Headers(headers);
  all.set("cache-control", "no-store");
  return Response.json(body, { status, headers: all });
}

/** Discards a body, so that the connection is free again. */
export async function discardBody(request: Request): Promise<void> {
  try {
    await request.body?.cancel();
  } catch {
    // The caller has hung up; there is nothing to discard.
  }
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
