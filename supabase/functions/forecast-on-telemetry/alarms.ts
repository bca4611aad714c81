/**
 * Tells the operator that the model could not be started: GRID_HEARTBEAT_URL, and GRID_ALARM_URLS as
 * far as this function can.
 *
 * Addresses have the form of apprise, which is a Python library. Those of ntfy, Discord and plain
 * JSON are understood here; the message stays in the warehouse for the others, and for those that
 * fail, and the next command of `grid` sends it. What was told already is decided there, too. A
 * failure of any of this is one line in the log.
 */

import { logError } from "./background.ts";
import type { Database } from "./database.ts";

export interface Alarms {
  readonly heartbeatUrl: string | undefined;
  /** In the order of GRID_ALARM_URLS: the place of an address is its name. */
  readonly addresses: readonly string[];
}

interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const LONGEST_REASON = 2_000;

export function readAlarms(environment: (name: string) => string): Alarms {
  return {
    heartbeatUrl: environment("GRID_HEARTBEAT_URL") || undefined,
    addresses: environment("GRID_ALARM_URLS").split(/\s+/).filter((url) => url !== ""),
  };
}

/** Sends what is new; never throws. */
export async function tellStartFailed(
  alarms: Alarms,
  database: Database,
  reason: string,
  timeoutMs: number,
): Promise<void> {
  await Promise.all([
    pingFailed(alarms.heartbeatUrl, reason, timeoutMs),
    tellAddresses(alarms.addresses, database, reason, timeoutMs),
  ]);
}

async function pingFailed(
  address: string | undefined,
  reason: string,
  timeoutMs: number,
): Promise<void> {
  if (address === undefined) {
    return;
  }
  const url = URL.parse(address);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    logError("heartbeat_failed", { type: "UnusableUrl" });
    return;
  }
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/fail`;
  const kind = await send({ url: url.href, headers: {}, body: clip(reason) }, timeoutMs);
  if (kind !== undefined) {
    logError("heartbeat_failed", { type: kind });
  }
}

async function tellAddresses(
  addresses: readonly string[],
  database: Database,
  reason: string,
  timeoutMs: number,
): Promise<void> {
  try {
    const alarm = await database.raiseAlarm(reason, addresses.length);
    if (alarm === undefined) {
      return;
    }
    const took: number[] = [];
    await Promise.all(addresses.map(async (address, index) => {
      const message = messageFor(address, alarm.title, alarm.body);
      const kind = message === undefined ? "NotHere" : await send(message, timeoutMs);
      if (kind === undefined) {
        took.push(index + 1);
      } else if (kind !== "NotHere") {
        logError("alarm_not_sent", { place: index + 1, type: kind });
      }
    }));
    if (took.length > 0) {
      await database.noteAlarmSent(alarm.message_id, took, addresses.length);
    }
  } catch (error) {
    // the message is in the warehouse, or the next look of `grid status` finds the failed start
    logError("alarm_failed", { type: error instanceof Error ? error.name : "UnexpectedError" });
  }
}

/** The request by which a service takes a message; undefined if this function does not know it. */
export function messageFor(address: string, title: string, body: string): Message | undefined {
  const scheme = /^[A-Za-z]+(?=:\/\/)/.exec(address)?.[0].toLowerCase();
  const isSecure = scheme?.endsWith("s") ?? false;
  const url = URL.parse(address.replace(/^[A-Za-z]+/, isSecure ? "https" : "http"));
  // Options after ? mean something to apprise alone, so it sends those.
  if (scheme === undefined || url === null || url.search !== "" || url.hash !== "") {
    return undefined;
  }
  const headers: Record<string, string> = { ...authorization(url) };
  // as it was given: in a topic or an id, unlike in the name of a host, capitals matter
  const host = /^[^/]+\/\/(?:[^/@]*@)?([^/]*)/.exec(address)?.[1] ?? "";
  const path = url.pathname.split("/").filter((part) => part !== "");
  const place = `${url.protocol}//${url.host}`;
  switch (scheme) {
    case "json":
    case "jsons":
      headers["content-type"] = "application/json";
      return {
        url: `${place}${url.pathname}`,
        headers,
        body: JSON.stringify({
          version: "1.0",
          title,
          message: body,
          attachments: [],
          type: "info",
        }),
      };
    case "ntfy":
    case "ntfys": {
      // ntfy://topic is on ntfy.sh; ntfy://host/topic and ntfys://host/topic are servers of one's own
      const [topic, ...more] = path.length === 0 ? [host] : path;
      if (topic === undefined || more.length > 0 || url.username.startsWith("tk_")) {
        return undefined;
      }
      const server = path.length === 0 ? "https://ntfy.sh" : place;
      headers["content-type"] = "application/json";
      return { url: server, headers, body: JSON.stringify({ topic, title, message: body }) };
    }
    case "discord": {
      const token = path[0];
      if (token === undefined || path.length > 1 || url.username !== "") {
        return undefined;
      }
      headers["content-type"] = "application/json";
      return {
        url: `https://discord.com/api/webhooks/${host}/${token}`,
        headers,
        body: JSON.stringify({ content: `${title}\n${body}`.slice(0, 2_000) }),
      };
    }
    default:
      return undefined;
  }
}

function authorization(url: URL): Record<string, string> {
  if (url.username === "") {
    return {};
  }
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const bytes = new TextEncoder().encode(pair);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** Posts, within the time limit; undefined if it was taken, or the kind of the failure. */
async function send(message: Message, timeoutMs: number): Promise<string | undefined> {
  try {
    const response = await fetch(message.url, {
      method: "POST",
      headers: { ...message.headers, "user-agent": "grid-assets" },
      body: message.body,
      redirect: "manual", // it would take a password to another address
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `HttpStatus:${response.status}`;
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    return isLate ? "TimedOut" : "Unreachable";
  }
}

function clip(text: string): string {
  return text.slice(0, LONGEST_REASON);
}
